#include "client_module.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <exception>

#include "client.h"
#include "penstock/worker/wire.h"

namespace penstock::python {
namespace {

using namespace nb::literals;

// Part of a value's memory, which Python's buffers over it keep.
struct ObjectBytes {
  std::shared_ptr<const void> memory;
  const SegmentMemory* segment;  // Null: it is in none.
  std::span<const uint8_t> bytes;
};

int GetBuffer(PyObject* self, Py_buffer* view, int flags) {
  static uint8_t nothing = 0;
  const auto& part = *nb::inst_ptr<ObjectBytes>(self);
  void* data = part.bytes.empty() ? &nothing : const_cast<uint8_t*>(part.bytes.data());
  constexpr int kReadOnly = 1;
  return PyBuffer_FillInfo(view, self, data, static_cast<Py_ssize_t>(part.bytes.size()), kReadOnly,
                           flags);
}

int GetPrivateBuffer(PyObject* self, Py_buffer* view, int flags) {
  const std::span<uint8_t> bytes = nb::inst_ptr<PrivateBytes>(self)->bytes();
  constexpr int kWritable = 0;
  return PyBuffer_FillInfo(view, self, bytes.data(), static_cast<Py_ssize_t>(bytes.size()),
                           kWritable, flags);
}

// Returns the same bytes in memory that may be written to without anybody else's seeing it: pages
// that are copied when they are written to, or a copy of what is small.
nb::object PrivateMemory(nb::object memory) {
  constexpr size_t kCopiedBytes = 64 * 1024;
  PyObject* const base =
      PyMemoryView_Check(memory.ptr()) ? PyMemoryView_GET_BASE(memory.ptr()) : nullptr;
  const ObjectBytes* part = nullptr;
  if (base != nullptr && nb::isinstance<ObjectBytes>(base)) part = nb::inst_ptr<ObjectBytes>(base);
  if (part == nullptr || part->segment == nullptr || part->segment->descriptor() < 0 ||
      part->bytes.size() < kCopiedBytes) {
    return nb::steal<nb::object>(PyByteArray_FromObject(memory.ptr()));
  }
  auto bytes = std::make_unique<PrivateBytes>(part->memory, *part->segment, part->bytes);
  return nb::cast(std::move(bytes));
}

nb::object ViewOf(const ClientValue& value, std::span<const uint8_t> bytes) {
  const nb::object part = nb::cast(ObjectBytes{value.memory(), value.segment(), bytes});
  return nb::steal<nb::object>(PyMemoryView_FromObject(part.ptr()));
}

nb::list BuffersOf(const ClientValue& value) {
  nb::list buffers;
  for (const std::span<const uint8_t> bytes : value.Buffers()) buffers.append(ViewOf(value, bytes));
  return buffers;
}

nb::bytes BytesOf(const ClientValue& value) {
  return nb::bytes(value.bytes().data(), value.bytes().size());
}

uint64_t Submit(Client& client, int kind, uint64_t function, uint64_t actor,
                std::string_view method, int32_t returns, std::string_view options,
                Packed& arguments, const std::vector<uint64_t>& given) {
  return client.Submit({static_cast<runtime::TaskKind>(kind), function, actor, method, returns,
                        options, arguments, given});
}

std::tuple<uint64_t, std::string, std::string> CreateNamed(Client& client, int kind,
                                                           uint64_t function, uint64_t actor,
                                                           std::string_view method, int32_t returns,
                                                           std::string_view options,
                                                           Packed& arguments,
                                                           const std::vector<uint64_t>& given) {
  return client.CreateNamed({static_cast<runtime::TaskKind>(kind), function, actor, method, returns,
                             options, arguments, given});
}

void BindValues(nb::module_& module) {
  static std::array<PyType_Slot, 2> slots = {
      PyType_Slot{Py_bf_getbuffer, reinterpret_cast<void*>(GetBuffer)}, PyType_Slot{0, nullptr}};
  [[maybe_unused]] const nb::class_<ObjectBytes> bytes(module, "_ObjectBytes",
                                                       nb::type_slots(slots.data()));
  static std::array<PyType_Slot, 2> private_slots = {
      PyType_Slot{Py_bf_getbuffer, reinterpret_cast<void*>(GetPrivateBuffer)},
      PyType_Slot{0, nullptr}};
  [[maybe_unused]] const nb::class_<PrivateBytes> private_bytes(
      module, "_PrivateBytes", nb::type_slots(private_slots.data()));
  module.def("private_memory", &PrivateMemory, "memory"_a,
             nb::sig("def private_memory(memory: object) -> "
                     "typing.Any"),
             "The same bytes, to be written to without anybody else's seeing it.");
  nb::class_<Packed>(module, "Packed", "An object's bytes on their way to the hub.")
      .def_prop_ro("nbytes", &Packed::size)
      .def_prop_ro("is_shared", &Packed::is_shared, "Whether they lie in shared memory.");
  nb::class_<ClientValue>(module, "Value", "What the hub sent for an object.")
      .def_prop_ro("flags", &ClientValue::flags)
      .def_prop_ro(
          "pickled", [](const ClientValue& value) { return ViewOf(value, value.Pickled()); },
          nb::sig("def pickled(self) -> memoryview"), "Read-only; keeps the memory.")
      .def_prop_ro("buffers", &BuffersOf, nb::sig("def buffers(self) -> list[memoryview]"),
                   "Read-only; each keeps the memory.")
      .def_prop_ro("code", &ClientValue::Code, "Of a system error; else 0.")
      .def_prop_ro("text", &ClientValue::Text, "Of a system error; else empty.")
      .def_prop_ro("item", &ClientValue::Item, "Of a generator's item, its object's id; else 0.");
  nb::class_<ArrivedTask>(module, "Task", "A task that this process is to run.")
      .def_ro("id", &ArrivedTask::id)
      .def_prop_ro("kind", [](const ArrivedTask& task) { return static_cast<int>(task.kind); })
      .def_ro("function", &ArrivedTask::function, "The number of its definition; 0 of methods.")
      .def_prop_ro(
          "function_data", [](const ArrivedTask& task) { return BytesOf(task.definition); },
          "What `define` was given for the function.")
      .def_ro("actor", &ArrivedTask::actor)
      .def_ro("method", &ArrivedTask::method)
      .def_ro("returns", &ArrivedTask::returns, "How many values; -1: as many as it yields.")
      .def_ro("options", &ArrivedTask::options, "JSON, or empty.")
      .def_ro("devices", &ArrivedTask::devices, "GPUs, comma-separated.")
      .def_ro("attempt", &ArrivedTask::attempt, "From 0.")
      .def(
          "take_arguments",
          [](ArrivedTask& task) {
            return std::pair(std::exchange(task.arguments, {}), std::exchange(task.given, {}));
          },
          "What it is called with, and the values in place of references; can be taken once.");
}

void BindRequests(nb::class_<Client>& client) {
  client
      .def("get", &Client::Get, "ids"_a, "timeout_s"_a.none(), "task"_a = 0,
           "All values, or as soon as one is an error those that have come; None: not in time.")
      .def("wait", &Client::Wait, "ids"_a, "enough"_a, "timeout_s"_a.none(), "task"_a = 0,
           "The places of those that are ready, once there are enough; or why there never are.")
      .def("next_item", &Client::NextItem, "generator"_a, "timeout_s"_a.none(), "task"_a = 0,
           "None: not in time.")
      .def("find_actor", &Client::FindActor, "namespace"_a, "name"_a,
           "Its id, or 0, and the options of its constructor.")
      .def("ask", &Client::Ask, "what"_a)
      .def("when_ready", &Client::WhenReady, "id"_a, "callback"_a,
           nb::sig("def when_ready(self, id: int, callback: "
                   "collections.abc.Callable[[Value], object]) -> None"),
           "Have the callback called with the value, by whichever thread reads.")
      .def("serve", &Client::Serve, "Read for all until the connection ends.");
}

void BindTaskSide(nb::class_<Client>& client) {
  client
      .def("receive_task", &Client::ReceiveTask, "timeout_s"_a.none() = nb::none(),
           "None: not in time, or no more will come (stopping).")
      .def_prop_ro("stopping", &Client::is_stopping)
      .def("done", &Client::Done, "task"_a, "flags"_a, "values"_a)
      .def("yield_item", &Client::YieldItem, "task"_a, "value"_a)
      .def("poll", &Client::Poll, "Read what is there, without waiting.")
      .def("interrupted", &Client::Interrupted, "patience_s"_a = 0.0,
           "Tasks that were cancelled and are not done.")
      .def("fileno", &Client::descriptor, "Can be read when `poll` would find something.");
}

}  // namespace

void BindClient(nb::module_& module) {
  nb::register_exception_translator([](const std::exception_ptr& failure, void*) {
    try {
      std::rethrow_exception(failure);
    } catch (const HubGone& error) {
      PyErr_SetString(nb::module_::import_("penstock.exceptions").attr("RuntimeEndedError").ptr(),
                      error.what());
    }
  });
  BindValues(module);
  nb::class_<Client> client(module, "Client", "A process's end of its connection to a hub.");
  client.def(nb::init<int, uint64_t>(), "descriptor"_a, "worker"_a = 0)
      .def_prop_ro("number", &Client::number)
      .def_prop_ro("facts", &Client::facts, "JSON.")
      .def("new_ids", &Client::NewIds, "count"_a, "The first of so many.")
      .def("define", &Client::Define, "function"_a, "data"_a)
      .def("pack", &Client::Pack, "pickled"_a, "buffers"_a, "contained"_a,
           nb::sig("def pack(self, pickled: bytes, buffers: list[pickle.PickleBuffer], contained: "
                   "list[int]) -> Packed"))
      .def("submit", &Submit, "kind"_a, "function"_a, "actor"_a, "method"_a, "returns"_a,
           "options"_a, "arguments"_a, "given"_a, "The task's id; what it returns follows it.")
      .def("create_named", &CreateNamed, "kind"_a, "function"_a, "actor"_a, "method"_a, "returns"_a,
           "options"_a, "arguments"_a, "given"_a,
           "The actor of this name, its options, and why there is none.")
      .def("put", &Client::Put, "packed"_a)
      .def("hold", &Client::Hold, "id"_a)
      .def("release", &Client::Release, "id"_a, "at_once"_a = false)
      .def("cancel", &Client::Cancel, "id"_a, "flags"_a,
           "Why it cannot be cancelled that way; empty: it is.")
      .def("kill", &Client::Kill, "actor"_a, "may_restart"_a)
      .def("make_group", &Client::MakeGroup, "group"_a, "options"_a, "ready"_a,
           "Why there can be no such placement group; empty: it is made.")
      .def("remove_group", &Client::RemoveGroup, "group"_a)
      .def("blocked", [](Client& self) { self.SetBlocked(true); })
      .def("unblocked", [](Client& self) { self.SetBlocked(false); })
      .def("close", &Client::Close);
  BindRequests(client);
  BindTaskSide(client);
  module.def(
      "connect",
      [](int reception, uint64_t worker) {
        return std::make_unique<Client>(ConnectThrough(reception), worker);
      },
      "reception"_a, "worker"_a, "Connect to the hub behind a reception.");
}

}  // namespace penstock::python
