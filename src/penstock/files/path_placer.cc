#include "penstock/files/path_placer.h"

#include <arrow/filesystem/gcsfs.h>
#include <arrow/filesystem/localfs.h>
#include <arrow/filesystem/s3fs.h>
#include <fmt/format.h>

#include <utility>

#include "penstock/files/cloud.h"
#include "penstock/files/retrying_file_system.h"

namespace penstock {
namespace {

namespace fs = arrow::fs;

/// Of file systems whose libraries try again on their own and cannot be told not to.
constexpr int kAttemptsMaxBesideOthers = 2;

std::string SchemeOf(const std::string& path) {
  const size_t end = path.find("://");
  return end == std::string::npos ? "" : path.substr(0, end);
}

/// Returns the URI without its path: what decides which file system it is. Never shown, since it
/// may hold a secret.
std::string RootOf(const std::string& uri) {
  const size_t begin = uri.find("://") + 3;
  const size_t query = uri.find('?', begin);
  const std::string root = uri.substr(0, std::min(uri.find('/', begin), query));
  return query == std::string::npos ? root : root + uri.substr(query);
}

/// Returns a URI as it may be shown: without credentials and options.
std::string Shown(const std::string& uri) {
  const size_t begin = uri.find("://") + 3;
  const size_t end = std::min(uri.find('?'), uri.size());
  const size_t at = uri.rfind('@', std::min(uri.find('/', begin), end));
  const size_t host = at == std::string::npos || at < begin ? begin : at + 1;
  return uri.substr(0, begin) + uri.substr(host, end - host);
}

Status NotUnderstood(const std::string& uri, const Status& status) {
  std::string cause = status.message();  // Which may hold the whole URI.
  const size_t begin = cause.find(uri);
  if (begin != std::string::npos) cause.replace(begin, uri.size(), Shown(uri));
  return Status::Invalid(fmt::format(
      "No file system can be opened by this URI; known: file://, s3://, gs://, abfs:// and "
      "hdfs://, others by a file system of fsspec (filesystem=); the cause: {}; got: {}",
      cause, Shown(uri)));
}

Result<std::shared_ptr<fs::FileSystem>> OpenOnce(const std::string& uri, std::string* location) {
  const std::string scheme = SchemeOf(uri);
  if (scheme == "s3") {
    PENSTOCK_RETURN_NOT_OK(StartS3());
    PENSTOCK_TRY(const auto options, fs::S3Options::FromUri(uri, location));
    return OpenS3(options);
  }
  if (scheme == "gs" || scheme == "gcs") {
    PENSTOCK_TRY(const auto options, fs::GcsOptions::FromUri(uri, location));
    return OpenGcs(options);
  }
  return fs::FileSystemFromUri(uri, location);
}

}  // namespace

Result<std::shared_ptr<fs::FileSystem>> OpenByUri(const std::string& uri,
                                                  std::vector<std::string> retried_errors,
                                                  std::string* location) {
  Status not_understood;
  std::shared_ptr<fs::FileSystem> opened;
  const Retrier retrier(RetryPolicy{.retried_errors = std::move(retried_errors)});
  PENSTOCK_RETURN_NOT_OK(
      retrier.Run("open the file system", Shown(uri), [&](int /*attempt*/) -> Status {
        const Status status = OpenOnce(uri, location).Value(&opened);
        if (!status.IsInvalid() && !status.IsNotImplemented()) return status;
        not_understood = NotUnderstood(uri, status);
        return Status::OK();
      }));
  PENSTOCK_RETURN_NOT_OK(not_understood);
  return opened;
}

PathPlacer::PathPlacer(FileAccess access)
    : access_(std::move(access)), local_(std::make_shared<fs::LocalFileSystem>()) {
  if (access_.file_system == nullptr) return;
  open_.retrier = RetrierFor(*access_.file_system);
  open_.file_system = MakeRetryingFileSystem(access_.file_system, open_.retrier, "");
}

Result<PlacedPath> PathPlacer::Place(const std::string& path) {
  const std::string scheme = SchemeOf(path);
  PlacedPath placed = open_;
  if (access_.file_system != nullptr) {
    const bool by_url = access_.file_system->type_name() == "http" || scheme.empty();
    placed.prefix = by_url ? "" : scheme + "://";
    placed.location = path.substr(placed.prefix.size());
    return placed;
  }
  if (scheme.empty()) return PlacedPath{.file_system = local_, .location = path};
  const std::string root = RootOf(path);
  if (root == open_root_) {
    const auto location = open_.file_system->PathFromUri(path);
    if (location.ok()) {
      placed.location = *location;
      return placed;
    }
  }
  PENSTOCK_TRY(const auto opened, OpenByUri(path, access_.retried_errors, &placed.location));
  if (opened->type_name() == "local") {
    return PlacedPath{.file_system = local_, .location = placed.location};
  }
  placed.prefix = scheme + "://";
  placed.retrier = RetrierFor(*opened);
  placed.file_system = MakeRetryingFileSystem(opened, placed.retrier, placed.prefix);
  open_root_ = root;
  open_ = placed;
  return placed;
}

std::shared_ptr<const Retrier> PathPlacer::RetrierFor(const fs::FileSystem& file_system) const {
  RetryPolicy policy{.retried_errors = access_.retried_errors};
  const std::string kind = file_system.type_name();
  if (kind == "abfs" || kind == "gcs") policy.attempts_max = kAttemptsMaxBesideOthers;
  return std::make_shared<Retrier>(std::move(policy));
}

}  // namespace penstock
