#include <arrow/type.h>

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/block/unify.h"
#include "penstock/source/file_set.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_columns.h"
#include "penstock/source/text_source.h"
#include "penstock/source/tfrecord_columns.h"
#include "penstock/source/tfrecord_records.h"

/// Options of the reader tfrecord besides those of all file readers:
///   features  {"name": "bytes", "float" or "int"}: exactly these, all as lists; null: as they come
///
/// A row a record, which must be a tf.train.Example; a column a feature (see tfrecord_columns.h).
/// Where a feature has one value a record in all that is looked at first, a later record with more
/// is kSchemaMismatch. A file that is not compressed is cut between records into several splits.
namespace penstock {
namespace {

/// A column of lists holds values too.
std::shared_ptr<arrow::Schema> WithListsOf(const std::shared_ptr<arrow::Schema>& schema,
                                           const arrow::Schema& other) {
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    const auto beside = other.GetFieldByName(field->name());
    const bool wraps = beside != nullptr && beside->type()->id() == arrow::Type::LIST &&
                       field->type()->id() != arrow::Type::LIST &&
                       field->type()->id() != arrow::Type::NA;
    fields.push_back(wraps ? field->WithType(arrow::list(field->type())) : field);
  }
  return arrow::schema(std::move(fields));
}

class TfrecordParser final : public TextParser {
 public:
  TfrecordParser(const std::optional<FeatureKinds>& kinds, InputFile file, const TextRange& range,
                 ParseTarget target)
      : kinds_(kinds ? &*kinds : nullptr),
        file_(std::move(file)),
        range_(range),
        piece_bytes_(static_cast<size_t>(target.piece_bytes)),
        columns_(std::move(target.wanted), target.only_wanted, std::move(target.schema_origin)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!records_) {
      PENSTOCK_TRY(auto bytes, ByteStream::Open(file_, range_));
      records_.emplace(std::move(bytes));
    }
    PENSTOCK_RETURN_NOT_OK(ReadPiece());
    if (ends_.empty()) return nullptr;
    TfrecordColumns rows(columns_.schema().get(), columns_.only_wanted(), kinds_);
    size_t begin = 0;
    for (const End& end : ends_) {
      const Status added = rows.Add(std::string_view(data_).substr(begin, end.data - begin));
      if (!added.ok()) return NoRecord(added, end.place);
      begin = end.data;
    }
    auto batch = rows.Finish();
    if (batch.ok()) batch = columns_.Fit(*batch);
    if (!batch.ok()) return NoRecord(batch.status(), ends_.back().place);
    return batch;
  }

 private:
  struct End {
    size_t data;  // Of a record's data in data_.
    TfrecordReader::Place place;
  };

  /// Reads records until there are about piece_bytes_; what they are framed by counts too, so that
  /// empty ones are not without number.
  Status ReadPiece() {
    constexpr size_t kFrameBytes = 16;
    data_.clear();
    ends_.clear();
    while (data_.size() + ends_.size() * kFrameBytes < piece_bytes_) {
      PENSTOCK_TRY(const bool came, records_->Next(&data_));
      if (!came) break;
      ends_.push_back({data_.size(), records_->place()});
    }
    return Status::OK();
  }

  Status NoRecord(const Status& status, const TfrecordReader::Place& place) const {
    if (DetailOf(status) != nullptr) {
      return status.WithMessage(records_->TextOf(place), ": ", status.message());
    }
    return status.IsInvalid() ? records_->Corrupt(place, status.message()) : status;
  }

  const FeatureKinds* const kinds_;
  const InputFile file_;
  const TextRange range_;
  const size_t piece_bytes_;
  TextColumns columns_;
  std::optional<TfrecordReader> records_;  // Null until the first Next.
  std::string data_;                       // Of the piece's records, one after the other.
  std::vector<End> ends_;
};

class TfrecordFormat final : public TextFormat {
 public:
  explicit TfrecordFormat(std::optional<FeatureKinds> kinds) : kinds_(std::move(kinds)) {
    if (!kinds_) return;
    arrow::FieldVector fields;
    for (const auto& [name, kind] : *kinds_) {
      fields.push_back(arrow::field(name, FeatureType(kind, /*list=*/true)));
    }
    schema_ = arrow::schema(std::move(fields));
  }

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file, const TextRange& range,
                                           ParseTarget target) const override {
    return std::make_unique<TfrecordParser>(kinds_, file, range, std::move(target));
  }

  Result<std::unique_ptr<TextCutter>> Cutter(const InputFile& file) const override {
    PENSTOCK_TRY(auto opened, OpenFile(file));
    return CutBetweenRecords(std::move(opened), file);
  }

  std::shared_ptr<arrow::Schema> fixed_schema() const override { return schema_; }

  Result<std::shared_ptr<arrow::Schema>> Unify(
      const std::shared_ptr<arrow::Schema>& first,
      const std::shared_ptr<arrow::Schema>& other) const override {
    return UnifySchemas(WithListsOf(first, *other), WithListsOf(other, *first));
  }

  const char* types_option() const override { return "tf_schema"; }

 private:
  const std::optional<FeatureKinds> kinds_;
  std::shared_ptr<arrow::Schema> schema_;  // Shared with the parsers; null without kinds_.
};

Result<std::optional<FeatureKinds>> ReadKinds(OptionReader& options) {
  const nlohmann::json& given = options.Raw("features");
  if (given.is_null()) return std::nullopt;
  const auto wrong = [&] {
    return options.Wrong("features", R"(an object of "bytes", "float" and "int")");
  };
  if (!given.is_object()) return wrong();
  FeatureKinds kinds;
  for (const auto& [name, named] : given.items()) {
    constexpr std::array kKinds{FeatureKind::kBytes, FeatureKind::kFloats, FeatureKind::kIntegers};
    for (const FeatureKind kind : kKinds) {
      if (named == NameOf(kind)) kinds[name] = kind;
    }
    if (!kinds.contains(name)) return wrong();
  }
  return kinds;
}

}  // namespace

Result<std::unique_ptr<Source>> MakeTfrecordSource(const ReadOp& read, const ReadLimits& limits,
                                                   int /*parallelism*/) {
  OptionReader options("reader tfrecord", read.options);
  PENSTOCK_TRY(auto kinds, ReadKinds(options));
  PENSTOCK_TRY(auto set, ListFileSet(options, read, WithCodecs({"tfrecords", "tfrecord"})));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return MakeTextSource(std::make_unique<TfrecordFormat>(std::move(kinds)), std::move(set.files),
                        std::move(set.columns), read, limits);
}

}  // namespace penstock
