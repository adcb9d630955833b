#include "penstock/source/text_encoding.h"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

namespace penstock {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

/// An open conversion to UTF-8.
class Conversion {
 public:
  explicit Conversion(const std::string& encoding)
      : handle_(iconv_open("UTF-8", encoding.c_str())) {}
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;
  ~Conversion() {
    if (valid()) iconv_close(handle_);
  }

  bool valid() const { return handle_ != reinterpret_cast<iconv_t>(-1); }  // NOLINT: as iconv says
  iconv_t handle() const { return handle_; }

 private:
  const iconv_t handle_;
};

class Utf8Stream final : public arrow::io::InputStream {
 public:
  Utf8Stream(std::shared_ptr<arrow::io::InputStream> text, const std::string& encoding)
      : text_(std::move(text)), encoding_(encoding), conversion_(encoding) {}

  bool valid() const { return conversion_.valid(); }
  Status Close() override { return text_->Close(); }
  bool closed() const override { return text_->closed(); }
  Result<int64_t> Tell() const override { return told_; }

  Result<int64_t> Read(int64_t bytes, void* out) override {
    auto* to = static_cast<char*>(out);
    auto left = static_cast<size_t>(bytes);
    bool more = true;
    while (more && left > 0) {
      PENSTOCK_TRY(more, Convert(&to, &left));
    }
    told_ += bytes - static_cast<int64_t>(left);
    return bytes - static_cast<int64_t>(left);
  }

  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    PENSTOCK_TRY(std::shared_ptr<arrow::ResizableBuffer> buffer,
                 arrow::AllocateResizableBuffer(bytes));
    PENSTOCK_TRY(const int64_t read, Read(bytes, buffer->mutable_data()));
    PENSTOCK_RETURN_NOT_OK(buffer->Resize(read));
    return buffer;
  }

 private:
  /// Converts some text; false at its end, and where the next character does not fit.
  Result<bool> Convert(char** to, size_t* left) {
    if (begin_ == end_ || wants_more_) {
      PENSTOCK_TRY(const bool more, Fill());
      if (!more) return false;
    }
    char* from = held_.data() + begin_;
    size_t held = end_ - begin_;
    wants_more_ = false;
    errno = 0;
    const size_t result = iconv(conversion_.handle(), &from, &held, to, left);
    const int error = result == static_cast<size_t>(-1) ? errno : 0;
    consumed_ += static_cast<int64_t>(end_ - begin_ - held);
    begin_ = end_ - held;
    wants_more_ = error == EINVAL;
    if (error == EILSEQ) {
      return Status::Invalid(
          fmt::format("the text is not of the encoding {} at byte {}", encoding_, consumed_));
    }
    return error != E2BIG;
  }

  Result<bool> Fill() {
    std::memmove(held_.data(), held_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    PENSTOCK_TRY(const int64_t read,
                 text_->Read(static_cast<int64_t>(held_.size() - end_), held_.data() + end_));
    if (read == 0 && end_ > 0) {
      return Status::Invalid(
          fmt::format("the text ends within a character of the encoding {}", encoding_));
    }
    end_ += static_cast<size_t>(read);
    return read > 0;
  }

  const std::shared_ptr<arrow::io::InputStream> text_;
  const std::string encoding_;
  const Conversion conversion_;
  std::array<char, kReadBytes> held_{};
  size_t begin_ = 0;
  size_t end_ = 0;
  bool wants_more_ = false;  // What is held ends within a character.
  int64_t consumed_ = 0;
  int64_t told_ = 0;
};

}  // namespace

Result<std::string> ReadEncoding(OptionReader& options) {
  PENSTOCK_TRY(std::string encoding, options.Text("encoding", "utf-8"));
  std::ranges::transform(encoding, encoding.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  if (encoding == "utf8") encoding = "utf-8";
  if (!IsUtf8Encoding(encoding) && !Conversion(encoding).valid()) {
    return options.Wrong("encoding", "one that iconv knows (iconv --list)");
  }
  return encoding;
}

bool IsUtf8Encoding(const std::string& encoding) {
  return encoding == "utf-8" || encoding == "utf-8-sig" || encoding == "ascii" ||
         encoding == "us-ascii";
}

Result<std::shared_ptr<arrow::io::InputStream>> AsUtf8(std::shared_ptr<arrow::io::InputStream> text,
                                                       const std::string& encoding) {
  if (IsUtf8Encoding(encoding)) return text;
  auto stream = std::make_shared<Utf8Stream>(std::move(text), encoding);
  if (!stream->valid()) return Status::Invalid("There is no such encoding; got: ", encoding);
  return stream;
}

}  // namespace penstock
