#include "penstock/files/served.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/files/file_service.h"

namespace penstock {
namespace {

namespace fs = arrow::fs;
using Json = nlohmann::json;

constexpr int64_t kReadBytesMax = int64_t{64} << 20;  // In one frame.

/// A file that is open on the other side.
class ServedFile {
 public:
  ServedFile(std::shared_ptr<FileService> service, int64_t id)
      : service_(std::move(service)), id_(id) {}

  Result<Json> Ask(const std::string& what, std::string_view sent = {}) const {
    return service_->Ask({{"ask", what}, {"file", id_}}, sent);
  }

  Result<int64_t> ReadAt(int64_t position, std::span<uint8_t> room) const {
    PENSTOCK_TRY(
        const Json answer,
        service_->Ask(
            {{"ask", "read"}, {"file", id_}, {"position", position}, {"count", room.size()}}, {},
            room));
    return answer["bytes"].get<int64_t>();
  }

 private:
  const std::shared_ptr<FileService> service_;  // Shared with the file system.
  const int64_t id_;
};

class ServedInput final : public arrow::io::RandomAccessFile {
 public:
  ServedInput(ServedFile file, int64_t bytes) : file_(std::move(file)), bytes_(bytes) {}
  ~ServedInput() override { static_cast<void>(ServedInput::Close()); }

  Status Close() override {
    return std::exchange(closed_, true) ? Status::OK() : file_.Ask("close").status();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }
  Status Seek(int64_t position) override {
    position_ = position;
    return Status::OK();
  }
  Result<int64_t> GetSize() override { return bytes_; }

  Result<int64_t> Read(int64_t bytes, void* out) override {
    PENSTOCK_TRY(const int64_t read, ReadAt(position_, bytes, out));
    position_ += read;
    return read;
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    PENSTOCK_TRY(auto buffer, arrow::AllocateResizableBuffer(bytes));
    PENSTOCK_TRY(const int64_t read, Read(bytes, buffer->mutable_data()));
    PENSTOCK_RETURN_NOT_OK(buffer->Resize(read));
    return buffer;
  }
  Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    auto* begin = static_cast<uint8_t*>(out);
    int64_t read = 0;
    while (read < bytes) {
      const auto count = static_cast<size_t>(std::min(bytes - read, kReadBytesMax));
      PENSTOCK_TRY(const int64_t came, file_.ReadAt(position + read, {begin + read, count}));
      if (came == 0) break;
      read += came;
    }
    return read;
  }
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    PENSTOCK_TRY(auto buffer, arrow::AllocateResizableBuffer(bytes));
    PENSTOCK_TRY(const int64_t read, ReadAt(position, bytes, buffer->mutable_data()));
    PENSTOCK_RETURN_NOT_OK(buffer->Resize(read));
    return buffer;
  }

 private:
  const ServedFile file_;
  const int64_t bytes_;
  int64_t position_ = 0;
  bool closed_ = false;
};

class ServedOutput final : public arrow::io::OutputStream {
 public:
  explicit ServedOutput(ServedFile file) : file_(std::move(file)) {}
  ~ServedOutput() override { static_cast<void>(ServedOutput::Abort()); }

  Status Close() override {
    return std::exchange(closed_, true) ? Status::OK() : file_.Ask("close").status();
  }
  Status Abort() override {
    return std::exchange(closed_, true) ? Status::OK() : file_.Ask("abort").status();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }
  using OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    const std::string_view sent(static_cast<const char*>(data), static_cast<size_t>(bytes));
    PENSTOCK_RETURN_NOT_OK(file_.Ask("write", sent).status());
    position_ += bytes;
    return Status::OK();
  }

 private:
  const ServedFile file_;
  int64_t position_ = 0;
  bool closed_ = false;
};

fs::FileInfo InfoOf(const Json& json) {
  const std::string type = json.value("type", "");
  fs::FileInfo info(json.value("path", ""), type == "file"     ? fs::FileType::File
                                            : type == "folder" ? fs::FileType::Directory
                                            : type == "other"  ? fs::FileType::Unknown
                                                               : fs::FileType::NotFound);
  info.set_size(json.value("size", int64_t{-1}));
  return info;
}

class ServedFileSystem final : public fs::FileSystem {
 public:
  ServedFileSystem(std::string type_name, const std::vector<int>& sockets)
      : type_name_(std::move(type_name)), service_(std::make_shared<FileService>(sockets)) {}

  using FileSystem::CreateDir;
  using FileSystem::DeleteDirContents;
  using FileSystem::GetFileInfo;
  using FileSystem::OpenAppendStream;
  using FileSystem::OpenOutputStream;

  std::string type_name() const override { return type_name_; }
  bool Equals(const FileSystem& other) const override { return this == &other; }

  Result<fs::FileInfo> GetFileInfo(const std::string& path) override {
    PENSTOCK_TRY(const Json answer, service_->Ask({{"ask", "look"}, {"path", path}}));
    return InfoOf(answer);
  }

  Result<fs::FileInfoVector> GetFileInfo(const fs::FileSelector& select) override {
    PENSTOCK_TRY(const Json answer, service_->Ask({{"ask", "list"},
                                                   {"path", select.base_dir},
                                                   {"missing_ok", select.allow_not_found},
                                                   {"recursive", select.recursive}}));
    fs::FileInfoVector infos;
    for (const Json& info : answer.value("found", Json::array())) infos.push_back(InfoOf(info));
    return infos;
  }

  Status CreateDir(const std::string& path, bool recursive) override {
    return service_->Ask({{"ask", "make_folder"}, {"path", path}, {"recursive", recursive}})
        .status();
  }
  Status DeleteDir(const std::string& path) override { return Do("remove_folder", path); }
  Status DeleteDirContents(const std::string& path, bool missing_dir_ok) override {
    return service_->Ask({{"ask", "empty_folder"}, {"path", path}, {"missing_ok", missing_dir_ok}})
        .status();
  }
  Status DeleteRootDirContents() override {
    return Status::NotImplemented("The root folder of a file system is never emptied");
  }
  Status DeleteFile(const std::string& path) override { return Do("remove_file", path); }
  Status Move(const std::string& from, const std::string& to) override {
    return service_->Ask({{"ask", "move"}, {"path", from}, {"to", to}}).status();
  }
  Status CopyFile(const std::string& from, const std::string& to) override {
    return service_->Ask({{"ask", "copy"}, {"path", from}, {"to", to}}).status();
  }

  Result<std::shared_ptr<arrow::io::InputStream>> OpenInputStream(
      const std::string& path) override {
    return OpenInputFile(path);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInputFile(
      const std::string& path) override {
    PENSTOCK_TRY(const Json answer, service_->Ask({{"ask", "open"}, {"path", path}}));
    return std::make_shared<ServedInput>(ServedFile(service_, answer.value("file", int64_t{-1})),
                                         answer.value("size", int64_t{0}));
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutputStream(
      const std::string& path,
      const std::shared_ptr<const arrow::KeyValueMetadata>& /*metadata*/) override {
    PENSTOCK_TRY(const Json answer, service_->Ask({{"ask", "create"}, {"path", path}}));
    return std::make_shared<ServedOutput>(ServedFile(service_, answer.value("file", int64_t{-1})));
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenAppendStream(
      const std::string& path,
      const std::shared_ptr<const arrow::KeyValueMetadata>& /*metadata*/) override {
    return Status::NotImplemented("Files of another process cannot be appended to; got: ", path);
  }

 private:
  Status Do(const std::string& what, const std::string& path) {
    return service_->Ask({{"ask", what}, {"path", path}}).status();
  }

  const std::string type_name_;
  const std::shared_ptr<FileService> service_;  // Shared with the files that are open.
};

}  // namespace

std::shared_ptr<fs::FileSystem> MakeServedFileSystem(std::string type_name,
                                                     const std::vector<int>& sockets) {
  return std::make_shared<ServedFileSystem>(std::move(type_name), sockets);
}

}  // namespace penstock
