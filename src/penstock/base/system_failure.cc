#include "penstock/base/system_failure.h"

#include <arrow/util/io_util.h>
#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "penstock/base/error.h"

namespace penstock {
namespace {

const char* AdviceFor(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or write elsewhere";
    case EFBIG:
      return "; the file is larger than this process may write";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; check the folder's permissions";
    case ENAMETOOLONG:
      return "; choose a shorter path";
    case ENOTDIR:
      return "; choose a path that is no file and has no file in it";
    case EMFILE:
    case ENFILE:
      return "; raise the number of files that may be open (ulimit -n)";
    case ENOENT:
      return "; make sure that the folder is there and stays";
    default:
      return "";
  }
}

}  // namespace

Status SystemFailure(int error, const std::string& doing, const std::string& path) {
  const std::string message =
      fmt::format("Cannot {}: {}{}; got: {}", doing, std::generic_category().message(error),
                  AdviceFor(error), path);
  if (error == ENOENT) return MakeError(ErrorKind::kMissingPath, message);
  return arrow::internal::StatusFromErrno(
      error, error == EEXIST ? arrow::StatusCode::AlreadyExists : arrow::StatusCode::IOError,
      message);
}

}  // namespace penstock
