#pragma once

#include <arrow/type.h>

#include <memory>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"

namespace penstock {

/// Remembers what was made for the last schema, since blocks of one stage nearly always share it.
/// Threads: any.
template <typename Made>
class SchemaCache {
 public:
  /// Returns what `make(schema)`, a Result<Made>, gave for an equal schema (metadata included).
  /// Failures are not remembered.
  template <typename Make>
  Result<std::shared_ptr<const Made>> Get(const std::shared_ptr<arrow::Schema>& schema,
                                          Make make) const {
    {
      MutexLock lock(mutex_);
      if (schema_ == schema || (schema_ && schema_->Equals(*schema, /*check_metadata=*/true))) {
        return made_;
      }
    }
    PENSTOCK_TRY(Made made, make(*schema));
    auto shared = std::make_shared<const Made>(std::move(made));
    MutexLock lock(mutex_);
    schema_ = schema;
    made_ = shared;
    return shared;
  }

 private:
  mutable Mutex mutex_;
  mutable std::shared_ptr<arrow::Schema> schema_ PENSTOCK_GUARDED_BY(mutex_);
  // Shared with the threads that are using it while another schema takes its place.
  mutable std::shared_ptr<const Made> made_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
