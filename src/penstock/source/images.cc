#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/buffer_builder.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <utility>

#include "penstock/base/error.h"
#include "penstock/block/tensor.h"
#include "penstock/source/image.h"
#include "penstock/source/registry.h"
#include "penstock/source/whole_files.h"

/// The reader images has the options of all readers of whole files, and:
///   size   [height, width] that all images are brought to; as they are without.
///   mode   L, LA, RGB or RGBA that all are brought to; each its own without.
///
/// One row a file, in a column "image" of uint8 tensors of height, width and channels. With size
/// and mode all have one shape. Without mode the first 16 files decide whether there are channels:
/// where they are gray alone, so must all others be, and the tensors have height and width only.
/// Mode L always has these two.
namespace penstock {
namespace {

constexpr const char* kColumn = "image";
constexpr int64_t kFilesPerSplitMax = 32;
constexpr int kDecidingFilesMax = 16;
constexpr int64_t kFileBytesMax = int64_t{1} << 30;
constexpr int64_t kExpansion = 10;  // A guess, of pixels over bytes in the file.

bool HasChannels(ImageMode mode) { return mode != ImageMode::kGray; }

std::vector<int32_t> ShapeOf(ImageSize size, ImageMode mode, bool channels) {
  std::vector<int32_t> shape = {size.height, size.width};
  if (channels) shape.push_back(ChannelsOf(mode));
  return shape;
}

class ImageRows final : public FileRows {
 public:
  ImageRows(ImageWish wish, const std::shared_ptr<arrow::Schema>& schema)
      : wish_(wish), schema_(schema), type_(schema->field(0)->type()) {
    const auto* varying =
        dynamic_cast<const arrow::extension::VariableShapeTensorType*>(type_.get());
    fixed_ = varying == nullptr;
    channels_ = fixed_ ? HasChannels(*wish.mode) : varying->ndim() == 3;
  }

  Status Add(const std::string& path, const std::shared_ptr<arrow::Buffer>& bytes) override {
    PENSTOCK_TRY(Image image,
                 DecodeImage({bytes->data(), static_cast<size_t>(bytes->size())}, wish_));
    const ImageMode mode = wish_.mode.value_or(image.mode);
    if (!channels_ && HasChannels(mode)) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("{}: the image has colours or alpha, but the first files, up to "
                                   "{}, are gray alone; give what all are to be brought to, such "
                                   "as mode=\"RGB\" or mode=\"L\"",
                                   path, kDecidingFilesMax));
    }
    PENSTOCK_TRY(image, ConvertImage(std::move(image), mode));
    const ImageSize size = wish_.size.value_or(image.size);
    const int64_t count = int64_t{size.height} * size.width * ChannelsOf(mode);
    PENSTOCK_RETURN_NOT_OK(pixels_.Reserve(count));
    PENSTOCK_RETURN_NOT_OK(ResizeImage(image, size, pixels_.mutable_data() + pixels_.length()));
    pixels_.UnsafeAdvance(count);
    ++rows_;
    if (fixed_) return Status::OK();
    for (const int32_t extent : ShapeOf(size, mode, channels_)) {
      PENSTOCK_RETURN_NOT_OK(shapes_.Append(extent));
    }
    return ends_.Append(static_cast<int32_t>(pixels_.length()));
  }

  int64_t rows() const override { return rows_; }
  int64_t bytes() const override { return pixels_.length(); }

  Result<std::shared_ptr<arrow::RecordBatch>> Take() override {
    const int64_t count = pixels_.length();
    PENSTOCK_TRY(auto buffer, pixels_.Finish());
    auto pixels = std::make_shared<arrow::UInt8Array>(count, std::move(buffer));
    const int64_t rows = std::exchange(rows_, 0);
    const auto& storage_type = static_cast<const arrow::ExtensionType&>(*type_).storage_type();
    std::shared_ptr<arrow::Array> storage;
    if (fixed_) {
      storage = std::make_shared<arrow::FixedSizeListArray>(storage_type, rows, std::move(pixels));
    } else {
      PENSTOCK_TRY(storage, TakeVarying(*storage_type, rows, std::move(pixels)));
    }
    return arrow::RecordBatch::Make(schema_, rows,
                                    {arrow::ExtensionType::WrapArray(type_, std::move(storage))});
  }

 private:
  Result<std::shared_ptr<arrow::Array>> TakeVarying(const arrow::DataType& type, int64_t rows,
                                                    std::shared_ptr<arrow::Array> pixels) {
    arrow::TypedBufferBuilder<int32_t> offsets;
    PENSTOCK_RETURN_NOT_OK(offsets.Append(0));
    PENSTOCK_TRY(const auto ends, ends_.Finish());
    PENSTOCK_RETURN_NOT_OK(offsets.Append(ends->data_as<int32_t>(), rows));
    PENSTOCK_TRY(auto offset_buffer, offsets.Finish());
    const int64_t extents = shapes_.length();
    PENSTOCK_TRY(auto shape_buffer, shapes_.Finish());
    auto data = std::make_shared<arrow::ListArray>(type.field(0)->type(), rows,
                                                   std::move(offset_buffer), std::move(pixels));
    auto shapes = std::make_shared<arrow::FixedSizeListArray>(
        type.field(1)->type(), rows,
        std::make_shared<arrow::Int32Array>(extents, std::move(shape_buffer)));
    return std::make_shared<arrow::StructArray>(
        type.GetSharedPtr(), rows, arrow::ArrayVector{std::move(data), std::move(shapes)});
  }

  const ImageWish wish_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<arrow::DataType> type_;
  bool fixed_ = false;
  bool channels_ = false;
  arrow::BufferBuilder pixels_;
  arrow::TypedBufferBuilder<int32_t> ends_;    // Of each row's pixels; where shapes vary.
  arrow::TypedBufferBuilder<int32_t> shapes_;  // The same.
  int64_t rows_ = 0;
};

class ImageFormat final : public FileFormat {
 public:
  explicit ImageFormat(ImageWish wish) : wish_(wish) {}

  std::vector<std::string> extensions() const override {
    return {"png", "jpg", "jpeg", "tif", "tiff", "bmp", "gif", "webp"};
  }
  int64_t files_per_split_max() const override { return kFilesPerSplitMax; }
  int64_t file_bytes_max() const override { return kFileBytesMax; }

  int64_t RowBytes(const InputFile& file) const override {
    if (!wish_.size) return file.bytes < 0 ? -1 : file.bytes * kExpansion;
    return int64_t{wish_.size->height} * wish_.size->width *
           ChannelsOf(wish_.mode.value_or(ImageMode::kColor));
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema(const NextFile& next) const override {
    if (!wish_.mode) {
      PENSTOCK_TRY(const bool has_channels, AnyHasChannels(next));
      return SchemaOf(Varying(has_channels));
    }
    const bool channels = HasChannels(*wish_.mode);
    if (!wish_.size) return SchemaOf(Varying(channels));
    const auto shape = ShapeOf(*wish_.size, *wish_.mode, channels);
    PENSTOCK_TRY(auto type, TensorType(arrow::uint8(), {shape.begin(), shape.end()}));
    return SchemaOf(std::move(type));
  }

  std::unique_ptr<FileRows> MakeRows(const std::shared_ptr<arrow::Schema>& schema) const override {
    return std::make_unique<ImageRows>(wish_, schema);
  }

 private:
  static std::shared_ptr<arrow::Schema> SchemaOf(std::shared_ptr<arrow::DataType> type) {
    return arrow::schema({arrow::field(kColumn, std::move(type))});
  }

  static std::shared_ptr<arrow::DataType> Varying(bool channels) {
    return arrow::extension::variable_shape_tensor(arrow::uint8(), channels ? 3 : 2);
  }

  /// Looks at the first file, and at a few more as long as none has channels.
  Result<bool> AnyHasChannels(const NextFile& next) const {
    for (int i = 0; i < kDecidingFilesMax; ++i) {
      PENSTOCK_TRY(const auto file, next());
      if (!file) break;
      const auto mode = ModeOf(*file);
      if (mode.ok() && HasChannels(*mode)) return true;
      if (i == 0) PENSTOCK_RETURN_NOT_OK(mode.status());
    }
    return false;
  }

  Result<ImageMode> ModeOf(const InputFile& file) const {
    PENSTOCK_TRY(const auto bytes, ReadWhole(file, kFileBytesMax));
    const auto image = DecodeImage({bytes->data(), static_cast<size_t>(bytes->size())}, wish_);
    if (!image.ok()) return ReadFailure(image.status(), file.path);
    return image->mode;
  }

  const ImageWish wish_;
};

Result<ImageWish> ReadWish(OptionReader& options) {
  ImageWish wish;
  PENSTOCK_TRY(const auto size, options.Integers("size", {}, 1));
  if (!size.empty()) {
    if (size.size() != 2 || !CheckImageSize(size[0], size[1]).ok()) {
      return options.Wrong("size", "height and width of an image");
    }
    wish.size = {.height = static_cast<int32_t>(size[0]), .width = static_cast<int32_t>(size[1])};
  }
  PENSTOCK_TRY(const std::string mode, options.Text("mode", ""));
  if (!mode.empty()) {
    PENSTOCK_TRY(wish.mode, ImageModeOf(mode));
  }
  return wish;
}

}  // namespace

Result<std::unique_ptr<Source>> MakeImagesSource(const ReadOp& read, const ReadLimits& limits,
                                                 int /*parallelism*/) {
  OptionReader options("reader images", read.options);
  PENSTOCK_TRY(const ImageWish wish, ReadWish(options));
  PENSTOCK_TRY(WholeFileOptions files, ReadWholeFileOptions(options, read));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeWholeFileSource(std::make_unique<ImageFormat>(wish), std::move(files), read, limits);
}

}  // namespace penstock
