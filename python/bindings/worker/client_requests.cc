#include "client.h"

namespace penstock::python {

using runtime::MessageKind;
using runtime::MessageWriter;

// A request whose answer somebody waits for; the hub is told where nobody does any more.
class Client::OpenRequest {
 public:
  enum class WaitsFor : uint8_t {
    kHub,   // Which answers at once.
    kWork,  // Of others; what this process was to run runs elsewhere meanwhile.
  };

  OpenRequest(Client& client, WaitsFor waits_for, Answer* answer) PENSTOCK_REQUIRES(client.mutex_)
      : client_(client),
        answer_(*answer),
        number_(++client.requests_made_),
        waits_(waits_for == WaitsFor::kWork ? 1 : 0) {
    client_.requests_[number_] = answer;
    client_.waiting_ += waits_;
    if (waits_ > 0) client_.GiveBackTasks();
  }
  ~OpenRequest() PENSTOCK_THREAD_ANNOTATION(no_thread_safety_analysis) {
    client_.requests_.erase(number_);
    client_.waiting_ -= waits_;
    if (answer_.is_complete || client_.has_ended_) return;
    MessageWriter message(MessageKind::kDrop);
    message.Number(number_);
    client_.Post(message);
    client_.Flush();
  }
  OpenRequest(const OpenRequest&) = delete;
  OpenRequest& operator=(const OpenRequest&) = delete;

  uint64_t number() const { return number_; }

 private:
  Client& client_;
  const Answer& answer_;
  const uint64_t number_;
  const int waits_;
};

std::optional<Client::Values> Client::Get(const std::vector<uint64_t>& ids, Timeout timeout,
                                          uint64_t task) {
  CheckProcess();
  if (ids.empty()) return Values{};
  const Deadline deadline = DeadlineOf(timeout);
  Answer answer;
  answer.values.resize(ids.size());
  answer.missing = ids.size();
  answer.ids = &ids;
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kWork, &answer);
  MessageWriter message(MessageKind::kGet);
  message.Number(request.number()).Ids(ids).Number(task);
  Post(message);
  Flush();
  const auto has_come = [&] { return answer.is_complete || answer.has_error; };
  if (!WaitUntil(has_come, deadline)) {
    AwaitAnswers();
    if (!has_come()) return std::nullopt;
  }
  return std::move(answer.values);
}

// Waits until the hub has answered what it can of what was asked before.
void Client::AwaitAnswers() {
  Answer answer;
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  PostWait(request.number(), {}, /*enough=*/0, /*task=*/0);
  Hurry(request.number());
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
}

void Client::PostWait(uint64_t request, const std::vector<uint64_t>& ids, uint32_t enough,
                      uint64_t task) {
  MessageWriter message(MessageKind::kWait);
  message.Number(request).Number(enough).Ids(ids).Number(task);
  Post(message);
}

void Client::Hurry(uint64_t request) {
  MessageWriter message(MessageKind::kHurry);
  message.Number(request);
  Post(message);
  Flush();
}

Client::Waited Client::Wait(const std::vector<uint64_t>& ids, uint32_t enough, Timeout timeout,
                            uint64_t task) {
  CheckProcess();
  const Deadline deadline = DeadlineOf(timeout);
  Answer answer;
  answer.values.resize(1);  // Of an error.
  answer.missing = 1;
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kWork, &answer);
  PostWait(request.number(), ids, enough, task);
  const auto is_complete = [&] { return answer.is_complete; };
  const bool waits = !timeout || *timeout > 0;
  if (waits) Flush();
  if (!waits || !WaitUntil(is_complete, deadline)) {
    Hurry(request.number());
    WaitUntil(is_complete, std::nullopt);
  }
  return {std::move(answer.places), std::move(answer.values.front())};
}

std::optional<ClientValue> Client::NextItem(uint64_t generator, Timeout timeout, uint64_t task) {
  CheckProcess();
  const Deadline deadline = DeadlineOf(timeout);
  Answer answer;
  answer.values.resize(1);
  answer.missing = 1;
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kWork, &answer);
  MessageWriter message(MessageKind::kNext);
  message.Number(request.number()).Number(generator).Number(task);
  Post(message);
  Flush();
  const auto has_come = [&] { return answer.is_complete; };
  if (!WaitUntil(has_come, deadline)) {
    Hurry(request.number());
    WaitUntil(has_come, std::nullopt);
  }
  ClientValue& value = *answer.values.front();
  if (value.flags() == 0) return std::nullopt;  // Not yet.
  if (value.Item() != 0) references_.Own(value.Item());
  return std::move(value);
}

std::tuple<uint64_t, std::string, std::string> Client::CreateNamed(const Submission& submission) {
  CheckProcess();
  Answer answer;
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  PostTask(submission, request.number());
  Flush();
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
  if (answer.actor == submission.actor) references_.Own(answer.actor);
  return {answer.actor, std::move(answer.text), std::move(answer.error)};
}

std::tuple<uint64_t, std::string> Client::FindActor(std::string_view name_space,
                                                    std::string_view name) {
  CheckProcess();
  Answer answer;
  const nb::gil_scoped_release release;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  PostReleased();  // Before: what is found is held from then on.
  MessageWriter message(MessageKind::kFindActor);
  message.Number(request.number()).Bytes(name_space).Bytes(name);
  Post(message);
  Flush();
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
  return {answer.actor, std::move(answer.text)};
}

std::string Client::Cancel(uint64_t id, uint32_t flags) {
  CheckProcess();
  const nb::gil_scoped_release release;
  Answer answer;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  const bool may_be_refused = (flags & runtime::kForce) != 0;
  MessageWriter message(MessageKind::kCancel);
  message.Number(id).Number(flags).Number(may_be_refused ? request.number() : 0);
  Post(message);
  Flush();
  answer.is_complete = !may_be_refused;
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
  return std::move(answer.text);
}

std::string Client::MakeGroup(uint64_t group, std::string_view options, Packed& ready) {
  CheckProcess();
  const nb::gil_scoped_release release;
  Answer answer;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  MessageWriter message(MessageKind::kMakeGroup);
  message.Number(request.number()).Number(group).Bytes(options);
  ready.Send(/*flags=*/0, &message);
  Post(message);
  Flush();
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
  return std::move(answer.text);
}

std::string Client::Ask(std::string_view what) {
  CheckProcess();
  const nb::gil_scoped_release release;
  return AskWithoutGil(what);
}

std::string Client::AskWithoutGil(std::string_view what) {
  Answer answer;
  MutexLock lock(mutex_);
  CheckOpen();
  const OpenRequest request(*this, OpenRequest::WaitsFor::kHub, &answer);
  MessageWriter message(MessageKind::kAsk);
  message.Number(request.number()).Bytes(what);
  Post(message);
  Flush();
  WaitUntil([&] { return answer.is_complete; }, std::nullopt);
  return std::move(answer.text);
}

void Client::WhenReady(uint64_t id, nb::object callback) {
  CheckProcess();
  MutexLock lock(mutex_);
  CheckOpen();
  const uint64_t request = ++requests_made_;
  callbacks_[request] = callback.release().ptr();
  MessageWriter message(MessageKind::kGet);
  message.Number(request).Ids({id}).Number(uint64_t{0});
  Post(message);
  Flush();
}

}  // namespace penstock::python
