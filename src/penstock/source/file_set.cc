#include "penstock/source/file_set.h"

#include <utility>

#include "penstock/base/mix.h"

namespace penstock {
namespace {

void Shuffle(std::vector<InputFile>& files, uint64_t seed) {
  uint64_t state = Mix(seed);
  for (size_t left = files.size(); left > 1; --left) {
    state = Mix(state);
    std::swap(files[left - 1], files[state % left]);
  }
}

}  // namespace

Result<FileSet> ListFileSet(OptionReader& options, const ReadOp& read,
                            const std::vector<std::string>& folder_extensions) {
  PENSTOCK_TRY(const FileOptions file_options, ReadFileOptions(options, read));
  const bool shuffled = !options.Raw("shuffle_seed").is_null();
  PENSTOCK_TRY(const int64_t seed, options.Integer("shuffle_seed", 0, 0));
  FileSet set;
  PENSTOCK_TRY(set.files, ListFiles(file_options, folder_extensions));
  if (shuffled) Shuffle(set.files, static_cast<uint64_t>(seed));
  PENSTOCK_TRY(set.columns, FileColumns::Make(options, file_options.include_paths));
  PENSTOCK_RETURN_NOT_OK(set.columns.AddPartitionsOf(set.files));
  return set;
}

}  // namespace penstock
