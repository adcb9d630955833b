#include "core/file_system.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/errors.h"
#include "core/module.h"
#include "penstock/files/cloud.h"
#include "penstock/files/path_placer.h"
#include "penstock/files/served.h"

namespace penstock::python {

namespace nb = nanobind;

namespace {

FileSystemHandle OpenByKind(const std::string& kind, const std::string& arguments_json) {
  const auto arguments = nlohmann::json::parse(arguments_json, nullptr, /*exceptions=*/false);
  Result<std::shared_ptr<arrow::fs::FileSystem>> opened;
  {
    nb::gil_scoped_release release;
    opened = OpenCloud(kind, arguments);
  }
  return {ValueOrThrow(std::move(opened))};
}

std::pair<FileSystemHandle, std::string> OpenUri(const std::string& uri,
                                                 std::vector<std::string> retried_errors) {
  std::string location;
  Result<std::shared_ptr<arrow::fs::FileSystem>> opened;
  {
    nb::gil_scoped_release release;
    opened = OpenByUri(uri, std::move(retried_errors), &location);
  }
  return {FileSystemHandle{ValueOrThrow(std::move(opened))}, location};
}

}  // namespace

void BindFileSystem(nb::module_& module) {
  nb::class_<FileSystemHandle>(module, "FileSystem", "A file system that is open, for plans.")
      .def_static("open", &OpenByKind, nb::arg("kind"), nb::arg("arguments_json"),
                  "By its kind (s3, gcs, abfs, hdfs) and the arguments of pyarrow's class.")
      .def_static("from_uri", &OpenUri, nb::arg("uri"), nb::arg("retried_errors"),
                  "The file system of a URI that Arrow knows, and the path there.")
      .def_static(
          "served",
          [](std::string type_name, const std::vector<int>& sockets) {
            return FileSystemHandle{MakeServedFileSystem(std::move(type_name), sockets)};
          },
          nb::arg("type_name"), nb::arg("sockets"),
          "What another process serves at the other ends of these sockets, which it takes over.")
      .def(
          "sub_tree",
          [](const FileSystemHandle& base, const std::string& path) {
            return FileSystemHandle{
                std::make_shared<arrow::fs::SubTreeFileSystem>(path, base.file_system)};
          },
          nb::arg("path"), "What lies below a folder.")
      .def_prop_ro("type_name",
                   [](const FileSystemHandle& handle) { return handle.file_system->type_name(); });
}

}  // namespace penstock::python
