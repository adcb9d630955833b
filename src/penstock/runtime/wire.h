#pragma once

#include <cstdint>

/// What a hub (hub.h) and the processes that use it say to each other: messages, several to a
/// packet, on a SOCK_SEQPACKET socketpair. Plain numbers and bytes without Arrow (message.h reads
/// and writes them): a client is small and starts fast.
///
/// A process that wants a hub makes the pair itself and sends one end through its kReception
/// (worker/wire.h), which every worker process of the engine has; the program that started the hub
/// is handed one. Whoever it is says kHello first.
///
/// Objects, tasks and actors are named by numbers that a client makes of the number that the hub
/// gave it and a counter of its own (MakeId), so that nobody waits for a name. A task takes
/// 1 + returns numbers: the task's own, and behind it those of what it returns.
///
/// A message that does not fit into what is left of a packet goes on in the next ones; so do its
/// descriptors, the last of which come no later than its last byte. One packet carries at most
/// kPacketDescriptorsMax.
///
/// What is large lies in segments of shared memory (sealed memfds). Whoever makes a segment names
/// it (MakeId; the hub is client 0). A client sends its descriptor with the first value that lies
/// in it, and again with the first after kReusable, at which the hub has forgotten it. The hub
/// sends the descriptor with every value, but to the segment's maker, who has it until kReusable; a
/// client that has mapped the segment already closes it. For each value that named a segment to it,
/// its own ones included, a client says kUnmapped once, when it does not look at that any more: so
/// no naming is lost that crosses a kUnmapped on its way.
///
/// References: the hub counts, for an object, the processes that hold it (a client tells of its
/// first reference, kHold, and of its last, kRelease), the tasks that wait for it or run with it,
/// and the objects whose bytes contain it. A client that finds a reference in what it was given
/// says kHold before it ends what it was given it for, so that no count falls to 0 in between. It
/// holds already, without kHold: what it submits returns, the actors that it makes, what it puts,
/// and what kActor and the answer to kNext name to it. A reference to what is gone already reads as
/// SystemError::kObjectLost.
namespace penstock::runtime {

inline constexpr uint32_t kPacketBytesMax = 64 * 1024;
inline constexpr uint32_t kInlineBytesMax = 16 * 1024;  // Beyond it a value is a segment.
inline constexpr int kPacketDescriptorsMax = 64;
inline constexpr uint32_t kMessageBytesMax = 64 * 1024 * 1024;
inline constexpr uint16_t kMessageDescriptorsMax = 4096;

/// `client` is the hub's number for the process, from 1; `count` its own counter, from 1.
constexpr uint64_t MakeId(uint32_t client, uint64_t count) {
  return uint64_t{client} << 40 | count;
}
constexpr uint32_t ClientOf(uint64_t id) { return static_cast<uint32_t>(id >> 40); }

/// Fields follow in this order. "id", "request": uint64; "value": see ValueForm; "text", "bytes":
/// uint32 length, bytes; "ids": uint32 count, ids; a request is answered with its number.
enum class MessageKind : uint16_t {
  // A client to the hub.
  kHello = 1,   // uint64 worker (WorkerId; 0: none of the hub's), uint64 process id -> kWelcome
  kDefine = 2,  // id function (a hash of its bytes), value
  kSubmit = 3,  // task (see TaskMessage)
  kPut = 4,     // id object, value
  kGet = 5,     // request, ids, uint64 task: the one whose thread waits for all of them, without
                // a limit of time; else 0 -> a kValue each, as they come to be, until kDrop
  kWait = 6,    // request, uint32 enough, ids, uint64 task (as of kGet) -> one kReady once so many
                // are; where they never can be, one kValue that says so
  kHurry = 7,   // request of a kWait or kNext: answer now with what is ready (kNext: or with a
                // value of no bytes and no flags), which ends the request
  kDrop = 8,    // request: no more answers are wanted
  kHold = 9,    // ids
  kRelease = 10,  // ids
  kCancel = 11,  // id object, uint32 CancelFlags, request (0: no answer is wanted) -> kText, why it
                 // cannot be done that way; empty: it is
  kKill = 12,    // id actor, uint32 1: it may be restarted
  kFindActor = 13,    // request, text namespace, text name -> kActor
  kNext = 14,         // request, id generator (its task's first return), uint64 task (as of kGet)
                      // -> kValue that names an item, or the end (see ValueFlags)
  kAsk = 15,          // request, text what ("resources", "available", "names", …) -> kText, JSON
  kDone = 16,         // id task, uint32 DoneFlags, uint32 count, values (its returns, or one error)
  kYield = 17,        // id task, id object, value: one more item of a generator
  kUnmapped = 18,     // ids of segments, one for each naming that is not looked at any more
  kBlocked = 19,      // The running task waits for something else than the hub's answers …
  kUnblocked = 20,    // … and does not any more.
  kGiveBack = 21,     // id task: a kRun that has not begun and shall run elsewhere
  kMakeGroup = 22,    // request, id group (a placement group), text options, value: of the object
                      // behind it, which is there once the group is -> kText, why not; empty: it is
  kRemoveGroup = 23,  // id group

  // The hub to a client.
  kWelcome = 32,    // uint32 client, text facts (JSON: session, node, job)
  kValue = 33,      // request, uint32 place among the ids asked for, value
  kReady = 34,      // request, uint32 count, uint32 places
  kActor = 35,      // request, id actor (0: there is none), text its constructor's options (as
                    // submitted), text error (why a named one could not be made)
  kText = 36,       // request, text
  kRun = 37,        // task (see RunMessage)
  kFunction = 38,   // id function, value; before the first kRun that names it to this process
  kInterrupt = 39,  // id task: cancelled; a signal (SIGUSR1) follows if it may be running
  kReusable = 40,   // ids of segments of this client's that the hub does not know any more
  kStop = 41,       // End, once what runs has ended.
  kTakeBack = 42,   // ids of tasks: give back (kGiveBack) those that have not begun; a signal
                    // (SIGUSR1) follows
};

/// How a value's bytes come.
enum class ValueForm : uint8_t {
  kNone = 0,    // No bytes (flags may say why).
  kInline = 1,  // bytes
  kShared = 2,  // uint64 segment, uint64 offset, uint64 bytes, uint64 capacity,
                // uint8 1: the message's next descriptor is the segment's
};

/// A value: uint8 ValueForm, uint8 ValueFlags, what the form says, then ids of the objects that it
/// contains (to the hub alone).
enum ValueFlags : uint8_t {
  kIsError = 1,             // What a user's function raised, as worker/failure.py packs it.
  kIsSystemError = 2,       // uint32 SystemError, then its text.
  kIsConstructorError = 4,  // With kIsError: an actor's constructor raised it.
  kIsItem = 8,              // The answer to kNext: an uint64, the item's object.
  kIsEnd = 16,              // The answer to kNext: there are no more.
};

/// Why there is no value, by the exception that a caller sees.
enum class SystemError : uint32_t {
  kNone = 0,
  kWorkerCrashed = 1,
  kActorDied = 2,
  kActorUnavailable = 3,
  kCancelled = 4,
  kObjectLost = 5,
  kOutOfMemory = 6,
  kStoreFull = 7,
  kUnplaceable = 8,
  kPendingCallsLimit = 9,
  kEnvironment = 10,
  kDeadlock = 11,
  kGroupRemoved = 12,
};

enum CancelFlags : uint32_t {
  kForce = 1,      // Kill the worker; not of an actor, whose calls are refused.
  kRecursive = 2,  // And the tasks that it has submitted.
};

enum DoneFlags : uint32_t {
  kFailed = 1,       // The one value is its error.
  kRetryWanted = 2,  // An exception that the task's options say to retry.
  kLeaving = 4,      // The actor has asked to end (exit_actor); nothing was returned.
  kWasCancelled = 8,
};

enum class TaskKind : uint8_t {
  kFunction = 0,
  kConstructor = 1,  // Of an actor, named by the task's actor id.
  kMethod = 2,
  kGroup = 3,  // Never sent: a placement group, as the scheduler counts what waits for room.
};

/// kSubmit: what a task is.
///
///   id task, uint8 TaskKind, id function (kMethod: 0), id actor (kFunction: 0), text method,
///   int32 returns (-1: a generator's items, as they come), text options (JSON; "" all defaults),
///   request (kConstructor of a named actor -> kActor; else 0), value arguments, ids given
///
/// `given` are objects whose values the function gets in place of references: the task waits for
/// them. What the arguments contain beyond is told by the value's own ids. A generator's items end
/// with its kDone, of no value, or of its error, which becomes one more item.
///
/// kRun: a task for this process.
///
///   id task, uint8 TaskKind, id function, id actor, text method, int32 returns, text options,
///   text devices (GPUs, comma-separated; unless empty the worker makes them its
///   CUDA_VISIBLE_DEVICES before anything else), uint32 attempt (from 0), value arguments,
///   uint32 count, values given
///
/// Options' fields, all optional; a hub leaves aside what it does not know. Of tasks and actors:
/// "name", "label" (the function's or class's name, for people), "num_cpus" (functions 1,
/// constructors 0), "num_gpus", "memory", "resources" {name: amount}, "env_vars" {name: value},
/// "working_dir", "group" (a placement group's id), "bundle" (of it; -1: any). Of functions:
/// "max_retries" (3; -1: for ever), "max_calls". Of methods: "max_retries" (the actor's
/// max_task_retries), "concurrency_group". Of constructors: "max_restarts" (0; -1),
/// "max_task_retries" (0), "max_concurrency", "max_pending_calls" (-1), "namespace", "detached",
/// "get_if_exists", "concurrency_groups" {name: limit}, "is_async". Of placement groups: "name",
/// "strategy", "bundles" [{resource: amount}].
struct MessageHeader {
  uint32_t bytes = 0;  // With the header.
  MessageKind kind = MessageKind::kStop;
  uint16_t descriptors = 0;  // Of the packet's, in order, this message's.
};
static_assert(sizeof(MessageHeader) == 8);

}  // namespace penstock::runtime
