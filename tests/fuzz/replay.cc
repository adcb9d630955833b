#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

/// Runs a fuzz program without a fuzzer: over the files that are named, and over those in the
/// folders that are named with a fixed number of changes to each. The input at which it breaks is
/// left in "broken_input", to be named alone.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

constexpr int kRunsPerFolder = 3000;
constexpr int kSignals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

const Bytes* current = nullptr;  // For KeepInput, which a signal calls.

void KeepInput(int signal) {
  const int file = open("broken_input", O_CREAT | O_TRUNC | O_WRONLY, 0644);
  [[maybe_unused]] const auto written = write(file, current->data(), current->size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Run(const Bytes& input) {
  current = &input;
  // A copy of just its size, so that a step beyond its end is seen.
  const Bytes copy(input);
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

Bytes Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Changes an input as files break: cut off, a bit turned over, a byte replaced, a part lost,
/// doubled or overwritten.
class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  Bytes Change(Bytes input) {
    const uint64_t changes = 1 + Below(3);
    for (uint64_t i = 0; i < changes && !input.empty(); ++i) ChangeOnce(input);
    return input;
  }

 private:
  uint64_t Below(uint64_t end) { return random_() % end; }

  void ChangeOnce(Bytes& input) {
    constexpr uint8_t kBorders[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '\n', '\r', ',', '{'};
    const size_t at = Below(input.size());
    const size_t length = 1 + Below(std::min<size_t>(input.size() - at, 64));
    const auto begin = input.begin() + static_cast<std::ptrdiff_t>(at);
    const Bytes part(begin, begin + static_cast<std::ptrdiff_t>(length));
    switch (Below(6)) {
      case 0:
        input.resize(at);
        return;
      case 1:
        input[at] ^= static_cast<uint8_t>(1U << Below(8));
        return;
      case 2:
        input[at] = kBorders[Below(std::size(kBorders))];
        return;
      case 3:
        input.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
        return;
      case 4:
        input.insert(begin, part.begin(), part.end());
        return;
      default:
        std::ranges::fill_n(begin, static_cast<std::ptrdiff_t>(length),
                            kBorders[Below(std::size(kBorders))]);
    }
  }

  std::mt19937 random_;  // The same numbers everywhere.
};

void RunFolder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::ranges::sort(files);
  Run({});
  for (size_t i = 0; i < files.size(); ++i) {
    const Bytes input = Read(files[i]);
    Run(input);
    Mutator mutator(static_cast<uint32_t>(i));
    const auto runs = kRunsPerFolder / static_cast<int>(files.size());
    for (int run = 0; run < runs; ++run) Run(mutator.Change(input));
  }
  std::printf("%s: %zu inputs replayed and changed\n", folder.c_str(), files.size());
}

}  // namespace

int main(int count, char** arguments) {
  for (const int signal : kSignals) std::signal(signal, KeepInput);
  for (int i = 1; i < count; ++i) {
    if (std::filesystem::is_directory(arguments[i])) {
      RunFolder(arguments[i]);
    } else {
      Run(Read(arguments[i]));
    }
  }
  return 0;
}
