#pragma once

#include "penstock/aggregates.h"
#include "penstock/dataset.h"
#include "penstock/export.h"
#include "penstock/expressions.h"
#include "penstock/functions.h"
#include "penstock/reading.h"
#include "penstock/writing.h"

/// Penstock from C++: the same plans as the Python face builds, with C++ functions as operators,
/// run without Python in the process.
///
///     #include <penstock/penstock.h>
///
///     namespace ps = penstock;
///
///     arrow::Status Score() {
///       return ps::ReadParquet({"in/"})
///           .Filter(ps::Col("length") > ps::Lit(0))
///           .MapBatches(Predict, {.name = "Predict", .batch_rows = 4096})
///           .WriteParquet("out");
///     }
///
/// Where to look: reading.h has the readers and their options, dataset.h what can be done with
/// rows, expressions.h what the engine computes by itself, functions.h what C++ functions promise,
/// aggregates.h what is known of a whole column, writing.h the writers and their options.
///
/// Errors are Arrow's Status, never exceptions. A message names the file, row, column or stage, and
/// says what to do. The code is
///   Invalid         for arguments, options and expressions that cannot be, and for files whose
///                   columns do not go together
///   IOError         for files that are missing, broken, or not to be reached
///   KeyError        for a column that is not there
///   TypeError       for values that cannot be aggregated so
///   NotImplemented  for types that a function of Arrow does not take, and for what a format or a
///                   mode does not do
///   ExecutionError  for what a function returned or threw as an error
///   OutOfMemory     where one batch alone does not fit RunOptions::memory_bytes
///   CapacityError   for an aggregate that holds more values than it may
///   AlreadyExists   see WriteMode::kError
/// Bad arguments are found when the data set runs (or at Explain), and named then; only
/// Dataset::RandomizeBlockOrder says so at once.
///
/// Threads: everything here may be used by any thread, and the same data set by several at once. A
/// data set is a value and never changes. A run has threads of its own, which end before the call
/// that runs it returns.
///
/// Memory: what is in flight is bounded by RunOptions::memory_bytes, however long the input is.
/// Only Collect, and aggregates that gather values, hold more.
