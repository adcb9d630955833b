#include "penstock/source/json_array.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "penstock/base/status.h"

namespace penstock {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsSpace(char letter) {
  return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
}

/// Rewrites the bytes of one array, however it is cut into pieces.
class ArrayRewriter {
 public:
  Status Rewrite(char* begin, const char* end) {
    for (char* letter = begin; letter != end; ++letter) PENSTOCK_RETURN_NOT_OK(Step(*letter));
    return Status::OK();
  }

  Status Finish() const {
    if (place_ == Place::kUndecided || place_ == Place::kLines || place_ == Place::kAfterArray) {
      return Status::OK();
    }
    return Status::Invalid(
        fmt::format("the JSON array is not closed: it ends in element {}", element_));
  }

 private:
  enum class Place : uint8_t {
    kUndecided,     // Only blanks so far.
    kLines,         // No array: nothing is rewritten.
    kFirstElement,  // After `[`.
    kNextElement,   // After a comma.
    kInElement,
    kAfterElement,
    kAfterArray,
  };

  Status Step(char& letter) {
    if (place_ == Place::kLines) return Status::OK();
    if (place_ == Place::kInElement) {
      StepInElement(letter);
      return Status::OK();
    }
    if (place_ == Place::kUndecided && kByteOrderMark.find(letter) != std::string_view::npos) {
      letter = ' ';
      return Status::OK();
    }
    if (IsSpace(letter)) {
      if (place_ != Place::kUndecided) letter = ' ';
      return Status::OK();
    }
    return StepBetween(letter);
  }

  Status StepBetween(char& letter) {
    const bool may_begin = place_ == Place::kFirstElement || place_ == Place::kNextElement;
    const bool may_end = place_ == Place::kFirstElement || place_ == Place::kAfterElement;
    if (place_ == Place::kUndecided) {
      place_ = letter == '[' ? Place::kFirstElement : Place::kLines;
      if (letter == '[') letter = ' ';
    } else if (letter == '{' && may_begin) {
      place_ = Place::kInElement;
      depth_ = 1;
    } else if (letter == ',' && place_ == Place::kAfterElement) {
      place_ = Place::kNextElement;
      letter = '\n';
      ++element_;
    } else if (letter == ']' && may_end) {
      place_ = Place::kAfterArray;
      letter = ' ';
    } else {
      return Status::Invalid(fmt::format(
          "the JSON array must hold objects with commas between them; got at element {}: {}",
          element_, letter));
    }
    return Status::OK();
  }

  void StepInElement(char& letter) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (letter == '\\') {
        escaped_ = true;
      } else if (letter == '"') {
        in_string_ = false;
      }
      return;
    }
    switch (letter) {
      case '"':
        in_string_ = true;
        return;
      case '{':
      case '[':
        ++depth_;
        return;
      case '}':
      case ']':
        if (--depth_ == 0) place_ = Place::kAfterElement;
        return;
      case '\n':
      case '\r':
        letter = ' ';
        return;
      default:
        return;
    }
  }

  Place place_ = Place::kUndecided;
  int64_t element_ = 0;
  int64_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

class LinesStream final : public arrow::io::InputStream {
 public:
  explicit LinesStream(std::shared_ptr<arrow::io::InputStream> json) : json_(std::move(json)) {}

  Status Close() override { return json_->Close(); }
  bool closed() const override { return json_->closed(); }
  Result<int64_t> Tell() const override { return json_->Tell(); }

  Result<int64_t> Read(int64_t bytes, void* out) override {
    PENSTOCK_TRY(const int64_t read, json_->Read(bytes, out));
    auto* begin = static_cast<char*>(out);
    PENSTOCK_RETURN_NOT_OK(rewriter_.Rewrite(begin, begin + read));
    if (read == 0 && bytes > 0) PENSTOCK_RETURN_NOT_OK(rewriter_.Finish());
    return read;
  }

  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    PENSTOCK_TRY(std::shared_ptr<arrow::ResizableBuffer> buffer,
                 arrow::AllocateResizableBuffer(bytes));
    PENSTOCK_TRY(const int64_t read, Read(bytes, buffer->mutable_data()));
    PENSTOCK_RETURN_NOT_OK(buffer->Resize(read));
    return buffer;
  }

 private:
  const std::shared_ptr<arrow::io::InputStream> json_;
  ArrayRewriter rewriter_;
};

}  // namespace

std::shared_ptr<arrow::io::InputStream> ArrayAsLines(std::shared_ptr<arrow::io::InputStream> json) {
  return std::make_shared<LinesStream>(std::move(json));
}

}  // namespace penstock
