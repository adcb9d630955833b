#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/op/transform.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/source/source.h"

/// What follows from a plan and its readers' metadata, without running a function of the user.
/// All fail as the readers do.
namespace penstock {

/// Returns the columns of the result; null where functions decide them.
Result<std::shared_ptr<arrow::Schema>> KnownSchema(const LogicalPlan& plan);

/// Returns the number of rows of the result, where it follows.
Result<std::optional<int64_t>> KnownRows(const LogicalPlan& plan);

/// Returns the number of blocks of the result, where it follows.
Result<std::optional<int64_t>> KnownBlocks(const LogicalPlan& plan);

/// Returns the files that are read, input after input.
Result<std::vector<std::string>> FilesOf(const LogicalPlan& plan);

/// Returns the columns of a running plan's result; null where functions decide them. `sources`,
/// `transforms`: by stage; a source is null for stages that do not read.
Result<std::shared_ptr<arrow::Schema>> SchemaWithoutRows(
    const PhysicalPlan& plan, std::span<Source* const> sources,
    std::span<const TransformChain> transforms);

/// Returns the columns to which a stage that joins the rows of several brings them before anything
/// asks for one; null where they are alike, where functions decide them, or where there is no
/// such schema, which is for whatever needs one to say.
Result<std::shared_ptr<arrow::Schema>> SchemaOfUnion(const PhysicalPlan& plan, size_t stage,
                                                     std::span<Source* const> sources,
                                                     std::span<const TransformChain> transforms);

}  // namespace penstock
