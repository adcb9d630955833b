#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "penstock/runtime/hub.h"
#include "runtime/plain_client.h"

namespace penstock::runtime {

/// What a task is, beside its arguments.
struct Call {
  std::string options = "";
  std::vector<uint64_t> given = {};
  std::vector<uint64_t> contained = {};
  int32_t returns = 1;
  TaskKind kind = TaskKind::kFunction;
  uint64_t actor = 0;
  std::string method = "";
  uint64_t request = 0;
};

/// Gives each test a hub of two processors, whose workers are task_worker.cc's, and a client of it.
class HubTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kFunction = 7;
  static constexpr int32_t kGenerator = -1;

  void SetUp() override { StartHub({}); }

  void StartHub(HubOptions options) {
    client_.reset();
    hub_.reset();
    if (options.processors == 0) options.processors = 2;
    if (options.gpus < 0) options.gpus = 0;
    options.worker_command.arguments = {PENSTOCK_TASK_WORKER};
    options.facts = "{}";
    hub_ = Hub::Start(std::move(options)).ValueOrDie();
    client_ = Connect();
  }

  std::unique_ptr<PlainClient> Connect() {
    auto client = std::make_unique<PlainClient>(hub_->Connect().ValueOrDie().Release());
    EXPECT_TRUE(client->Greet());
    MessageWriter define(MessageKind::kDefine);
    define.Number(kFunction);
    client->AddValue(define, {.bytes = "function"});
    client->Send(define);
    return client;
  }

  /// Submits a task that does what `arguments` say; returns its first return.
  uint64_t Submit(const std::string& arguments, const Call& call = {}) {
    const uint64_t id = client_->NewId(1 + static_cast<uint64_t>(std::abs(call.returns)));
    MessageWriter submit(MessageKind::kSubmit);
    submit.Number(id)
        .Number(call.kind)
        .Number(call.kind == TaskKind::kMethod ? uint64_t{0} : kFunction)
        .Number(call.actor)
        .Bytes(call.method)
        .Number(call.returns)
        .Bytes(call.options)
        .Number(call.request);
    client_->AddValue(submit, {.bytes = arguments, .contained = call.contained});
    submit.Ids(call.given);
    client_->Send(submit);
    return id + 1;
  }

  uint64_t MakeActor(const std::string& arguments, const std::string& options = "",
                     uint64_t request = 0) {
    const uint64_t actor = client_->NewId();
    Submit(arguments, {.options = options,
                       .returns = 0,
                       .kind = TaskKind::kConstructor,
                       .actor = actor,
                       .request = request});
    return actor;
  }

  uint64_t CallActor(uint64_t actor, const std::string& arguments, Call call = {}) {
    call.kind = TaskKind::kMethod;
    call.actor = actor;
    call.method = "method";
    return Submit(arguments, call);
  }

  uint64_t Put(PlainValue value) {
    const uint64_t id = client_->NewId();
    MessageWriter put(MessageKind::kPut);
    put.Number(id);
    client_->AddValue(put, value);
    client_->Send(put);
    return id;
  }

  /// `task`: the one that waits, where its thread does nothing else.
  uint64_t Ask(MessageKind kind, const std::vector<uint64_t>& ids, uint32_t enough = 0,
               uint64_t task = 0) {
    const uint64_t request = ++last_request_;
    MessageWriter ask(kind);
    ask.Number(request);
    if (kind == MessageKind::kWait) ask.Number(enough);
    if (kind == MessageKind::kNext) {
      ask.Number(ids.at(0));
    } else {
      ask.Ids(ids);
    }
    ask.Number(task);
    client_->Send(ask);
    return request;
  }

  /// Returns the next message of this kind; what else comes is dropped.
  PlainMessage Await(MessageKind kind) {
    while (std::optional<PlainMessage> message = client_->Receive()) {
      if (message->kind == kind) return std::move(*message);
    }
    ADD_FAILURE() << "no message of kind " << static_cast<int>(kind) << " came";
    return {};
  }

  std::vector<PlainValue> Get(const std::vector<uint64_t>& ids) {
    Ask(MessageKind::kGet, ids);
    std::vector<PlainValue> values(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
      PlainMessage message = Await(MessageKind::kValue);
      MessageReader fields(message.fields);
      EXPECT_EQ(fields.Number<uint64_t>(), last_request_);
      const auto place = fields.Number<uint32_t>();
      if (place >= values.size()) break;
      values[place] = client_->ReadValue(fields, message.descriptors);
      if (values[place].segment != 0) SendIds(MessageKind::kUnmapped, {values[place].segment});
    }
    return values;
  }
  PlainValue Get(uint64_t id) { return Get(std::vector<uint64_t>{id}).at(0); }

  /// Returns the places of those that are ready once so many are.
  std::vector<uint32_t> Wait(const std::vector<uint64_t>& ids, uint32_t enough) {
    Ask(MessageKind::kWait, ids, enough);
    return AwaitReady();
  }
  std::vector<uint32_t> AwaitReady() {
    const PlainMessage message = Await(MessageKind::kReady);
    MessageReader fields(message.fields);
    fields.Number<uint64_t>();
    return fields.Numbers<uint32_t>();
  }

  PlainValue Next(uint64_t generator) {
    Ask(MessageKind::kNext, {generator});
    PlainMessage message = Await(MessageKind::kValue);
    MessageReader fields(message.fields);
    fields.Number<uint64_t>();
    fields.Number<uint32_t>();
    return client_->ReadValue(fields, message.descriptors);
  }

  void SendIds(MessageKind kind, const std::vector<uint64_t>& ids) {
    MessageWriter message(kind);
    message.Ids(ids);
    client_->Send(message);
  }
  void Release(uint64_t id) { SendIds(MessageKind::kRelease, {id}); }

  void Cancel(uint64_t id, uint32_t flags = 0) {
    MessageWriter cancel(MessageKind::kCancel);
    cancel.Number(id).Number(flags).Number(uint64_t{0});
    client_->Send(cancel);
  }

  /// Returns why it cannot be cancelled that way.
  std::string CancelAndHear(uint64_t id, uint32_t flags) {
    MessageWriter cancel(MessageKind::kCancel);
    cancel.Number(id).Number(flags).Number(++last_request_);
    client_->Send(cancel);
    const PlainMessage message = Await(MessageKind::kText);
    MessageReader fields(message.fields);
    EXPECT_EQ(fields.Number<uint64_t>(), last_request_);
    return std::string(fields.Bytes());
  }

  void Kill(uint64_t actor, bool may_restart = false) {
    MessageWriter kill(MessageKind::kKill);
    kill.Number(actor).Number(uint32_t{may_restart});
    client_->Send(kill);
  }

  struct Found {
    uint64_t actor = 0;
    std::string options;
    std::string error;
  };
  Found AwaitActor() {
    const PlainMessage message = Await(MessageKind::kActor);
    MessageReader fields(message.fields);
    fields.Number<uint64_t>();
    Found found;
    found.actor = fields.Number<uint64_t>();
    found.options = fields.Bytes();
    found.error = fields.Bytes();
    return found;
  }
  Found FindActor(const std::string& name) {
    MessageWriter find(MessageKind::kFindActor);
    find.Number(++last_request_).Bytes("space").Bytes(name);
    client_->Send(find);
    return AwaitActor();
  }

  nlohmann::json AskFor(const std::string& what) {
    MessageWriter ask(MessageKind::kAsk);
    ask.Number(++last_request_).Bytes(what);
    client_->Send(ask);
    const PlainMessage message = Await(MessageKind::kText);
    MessageReader fields(message.fields);
    fields.Number<uint64_t>();
    return nlohmann::json::parse(fields.Bytes());
  }

  /// Asks until one of the hub's counts is `wanted`; what it is at the end of a long time.
  int64_t CountOnce(const std::string& name, int64_t wanted) {
    int64_t count = -1;
    for (int i = 0; i < 20'000; ++i) {
      count = AskFor("counts").at(name).get<int64_t>();
      if (count == wanted) break;
      ::usleep(1000);
    }
    return count;
  }

  std::unique_ptr<Hub> hub_;
  std::unique_ptr<PlainClient> client_;
  uint64_t last_request_ = 0;
};

}  // namespace penstock::runtime
