#pragma once

#include "penstock/plan/rules.h"

namespace penstock {

/// The rules one by one; each condition stands in the rule's own file.
Rule FuseRowsRule();
Rule PushLimitRule();
Rule PushFilterRule();
Rule PruneColumnsRule();
Rule PushRepartitionRule();

/// Returns whether the operator only chooses, orders or names columns: Project, Drop, Rename.
bool OnlyColumns(const LogicalOp& op);

/// Returns whether the operator only changes columns, so that each row stays: OnlyColumns, Assign.
bool KeepsRows(const LogicalOp& op);

}  // namespace penstock
