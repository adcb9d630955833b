#pragma once

#include <cstdint>

/// What an engine and its workers say to each other: fixed-size frames on a SOCK_SEQPACKET
/// socketpair, data in shared-memory segments whose descriptors ride on frames (SCM_RIGHTS).
/// Plain structs without Arrow. The engine trusts nothing that a worker sends.
///
///   engine                          worker
///   kSetup (segment: setup bytes) ->
///                                <- kReady (or kFailed: the constructor raised)
///   kBatch (segment, out segment) ->
///                                <- kOutput (segment, more) …, after each with more = 1
///   kGrant (out segment)          ->   the worker waits for room for its next output
///                                <- kDone (batch finished, no further output)
///                                <- kFailed (segment: packed error), the batch is over
///   kStop                         ->   finish the queued batches, then exit 0
///
/// A kOutput with more = 0 also finishes its batch. Batches are answered in the order sent. The
/// worker writes its output into the granted segment, or, when that is too small, into a sealed
/// memfd of its own, whose descriptor rides on kOutput (flag kDescriptor, segment 0).
/// A segment's descriptor rides on the first frame that names it to that worker; the worker keeps
/// it mapped until kForget. An input with kKeptInput, which others may still want, comes with its
/// descriptor each time; the worker maps it copy-on-write, and only as long as the batch lasts.
///
/// A template process (template_process.h) has a socket like a worker's and speaks of workers by
/// `batch`, their number:
///
///   engine                          template
///   kFork (the worker's socket,
///     its standard output, error) ->
///                                <- kPrepared or kRefused (why, as text in a memfd), once
///                                <- kForked (its pidfd; segment: its process id), once it has
///                                shown
///                                   that it works, or kForkFailed (why)
///                                <- kEnded (rows: the CLD_ code, busy_ns: the status), once reaped
/// The end of its socket tells it to end. One that is to build the functions before it forks gets
/// kSetup first.
///
/// A process whose threads are workers gets kJoin on its kThreadsSocket for each but the first,
/// which has kWorkerSocket: the socket of one more.
namespace penstock {

inline constexpr uint32_t kFrameMagic = 0x4b4e5350;
inline constexpr int kWorkerSocket = 3;   // The worker's end, by number.
inline constexpr int kLifeline = 4;       // A pipe that brings nothing but the engine's end.
inline constexpr int kModulesPipe = 5;    // A worker writes, or a template reads, what it imports.
inline constexpr int kThreadsSocket = 5;  // In a process whose threads are workers.
inline constexpr int kReception = 6;      // By which it reaches the hub (reception.h).

/// How a worker ends itself when its device answers nothing but one error any more: what it does
/// from then on would fail too, a new process may not.
inline constexpr int kStickyDeviceExit = 86;

enum class FrameKind : uint32_t {
  kSetup = 1,
  kReady = 2,
  kBatch = 3,
  kOutput = 4,
  kGrant = 5,
  kDone = 6,
  kFailed = 7,
  kStop = 8,
  kForget = 9,
  kFork = 10,
  kPrepared = 11,
  kRefused = 12,
  kForked = 13,
  kForkFailed = 14,
  kEnded = 15,
  kJoin = 16,
};

inline constexpr uint32_t kInputDescriptor = 1;   // The next descriptor is `segment`'s.
inline constexpr uint32_t kOutputDescriptor = 2;  // … then `output_segment`'s.
inline constexpr uint32_t kMore = 4;              // kOutput: the batch may yield more.
inline constexpr uint32_t kConstructor = 8;       // kFailed: raised while it was being built.
inline constexpr uint32_t kBadReturnFlag = 16;    // kFailed: what came back cannot be columns.
inline constexpr uint32_t kKeptInput = 32;        // kBatch: see below.

struct Frame {
  uint32_t magic = kFrameMagic;
  FrameKind kind = FrameKind::kStop;
  uint32_t flags = 0;
  uint32_t reserved = 0;
  uint64_t batch = 0;            // Chosen by the engine.
  uint64_t segment = 0;          // kBatch: input. kOutput: where the output lies. 0: none.
  int64_t segment_bytes = 0;     // Bytes used in it (kSetup, kBatch, kOutput, kFailed).
  int64_t segment_capacity = 0;  // To map; given whenever a descriptor rides along.
  uint64_t output_segment = 0;   // kBatch, kGrant: where the next output may go.
  int64_t output_capacity = 0;
  int64_t rows = 0;     // kBatch, kOutput.
  int64_t busy_ns = 0;  // kOutput, kDone, kFailed: time in the user's function.
};
static_assert(sizeof(Frame) == 80);

}  // namespace penstock
