#pragma once

#include <arrow/filesystem/filesystem.h>

#include <memory>
#include <string>
#include <vector>

namespace penstock {

/// Makes a file system of what another process serves: whatever is asked of it goes there as a
/// frame and comes back as one, so that file systems written in Python never need this process's
/// GIL. See python/penstock/worker/file_server.py for the other side and the frames.
///
/// `sockets` are connected streams, owned from here on; as many requests are under way at once.
/// The process ends when they close, with the last file and the file system. A request that is
/// not answered for five minutes fails. Threads: any.
std::shared_ptr<arrow::fs::FileSystem> MakeServedFileSystem(std::string type_name,
                                                            const std::vector<int>& sockets);

}  // namespace penstock
