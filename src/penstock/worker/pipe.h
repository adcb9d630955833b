#pragma once

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"

namespace penstock {

/// A pipe that no other process inherits; both ends have numbers above those that a new process
/// gets by number, so that giving it one end never closes another.
struct Pipe {
  OwnedDescriptor out;
  OwnedDescriptor in;
};

/// IOError when the kernel gives none.
Result<Pipe> MakePipe();

/// Has the descriptor never block.
void MakeNonBlocking(int descriptor);

/// Gives the descriptor such a high number. IOError.
Result<OwnedDescriptor> MoveUp(const OwnedDescriptor& descriptor);

}  // namespace penstock
