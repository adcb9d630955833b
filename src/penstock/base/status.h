#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/macros.h>

/// Names Arrow's Status and Result as our own and gives the two macros that pass errors on.
///
/// A Status tells of the caller's mistake or of the world's failure. Our own mistakes abort
/// (see check.h). A Status that needs more than a code and a text carries an ErrorDetail
/// (see error.h), from which the Python face chooses the exception's type.
namespace penstock {

using arrow::Result;
using arrow::Status;

}  // namespace penstock

/// Evaluates a Result; defines or assigns `declaration` from its value, or returns its Status.
#define PENSTOCK_TRY(declaration, expression) ARROW_ASSIGN_OR_RAISE(declaration, expression)

/// Evaluates a Status and returns it from the enclosing function unless it is OK.
#define PENSTOCK_RETURN_NOT_OK(expression) ARROW_RETURN_NOT_OK(expression)
