#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "penstock/runtime/hub_running.h"
#include "penstock/worker/socket.h"

namespace penstock::runtime {
namespace {

constexpr int kPacketsAtOnce = 32;  // Of one client, before others get their turn.
constexpr int kDescriptorsInGreeting = 8;

/// Takes the next socket that was handed in; none when there is none. A greeting without a socket
/// gives none either, and `more`.
OwnedDescriptor TakeSocket(int reception, bool* more) {
  char byte[64];
  iovec part{.iov_base = byte, .iov_len = sizeof byte};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorsInGreeting * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t bytes;
  do bytes = ::recvmsg(reception, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (bytes < 0 && errno == EINTR);
  *more = bytes >= 0;
  if (bytes < 0) return {};
  std::vector<OwnedDescriptor> descriptors = TakeDescriptors(&message);
  return descriptors.empty() ? OwnedDescriptor() : std::move(descriptors.back());
}

}  // namespace

void RunningHub::AcceptAll() {
  bool more = true;
  while (true) {
    OwnedDescriptor socket = TakeSocket(reception_, &more);
    if (!more) return;
    if (socket.get() >= 0) Accept(std::move(socket));
  }
}

void RunningHub::Accept(OwnedDescriptor socket) {
  const uint32_t number = ++last_client_;
  HubClient& client = clients_[number];
  client.number = number;
  client.link = std::make_unique<Link>(std::move(socket), poller_.get(), number);
  if (!client.link->Watch().ok()) clients_.erase(number);
}

HubClient* RunningHub::FindClient(uint32_t number) {
  const auto found = clients_.find(number);
  return found == clients_.end() ? nullptr : &found->second;
}

void RunningHub::Touch(HubClient& client) {
  if (!std::exchange(client.touched, true)) touched_.push_back(client.number);
}

void RunningHub::ReceiveFrom(uint32_t number) {
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    HubClient* client = FindClient(number);
    if (client == nullptr) return;
    const Result<Link::Received> received = client->link->Receive();
    if (!received.ok()) return CutOff(number, received.status().message());
    if (*received == Link::Received::kNothing) return;
    if (*received == Link::Received::kClosed) return HungUp(number);
    Touch(*client);
    const Status handled = HandleMessages(*client);
    if (!handled.ok()) return CutOff(number, handled.message());
  }
}

/// Takes what a client that has ended has said before that.
void RunningHub::ReceiveAll(uint32_t number) {
  while (HubClient* client = FindClient(number)) {
    const Result<Link::Received> received = client->link->Receive();
    if (!received.ok() || *received != Link::Received::kPacket) return;
    if (!HandleMessages(*client).ok()) return;
  }
}

Status RunningHub::HandleMessages(HubClient& client) {
  while (true) {
    PENSTOCK_TRY(std::optional<IncomingMessage> message, client.link->Next());
    if (!message) return Status::OK();
    if (client.greeted == (message->kind == MessageKind::kHello)) {
      return Status::Invalid("did not say hello once, and first");
    }
    PENSTOCK_RETURN_NOT_OK(Handle(client, *message));
    if (!message->fields.ok()) {
      return Status::Invalid("sent a message of kind ", static_cast<int>(message->kind),
                             " that ends too early");
    }
  }
}

Status RunningHub::Handle(HubClient& client, IncomingMessage& message) {
  switch (message.kind) {
    case MessageKind::kHello:
      return OnHello(client, message);
    case MessageKind::kDefine:
      return OnDefine(client, message);
    case MessageKind::kSubmit:
      return OnSubmit(client, message);
    case MessageKind::kPut:
      return OnPut(client, message);
    case MessageKind::kGet:
      return OnGet(client, message);
    case MessageKind::kWait:
      return OnWait(client, message);
    case MessageKind::kHurry:
      return OnHurry(client, message);
    case MessageKind::kDrop:
      return OnDrop(client, message);
    case MessageKind::kHold:
    case MessageKind::kRelease:
    case MessageKind::kUnmapped:
      return OnReferences(client, message);
    case MessageKind::kCancel:
      return OnCancel(client, message);
    case MessageKind::kKill:
      return OnKill(client, message);
    case MessageKind::kFindActor:
      return OnFindActor(client, message);
    case MessageKind::kNext:
      return OnNext(client, message);
    case MessageKind::kMakeGroup:
      return OnMakeGroup(client, message);
    case MessageKind::kRemoveGroup:
      return OnRemoveGroup(client, message);
    case MessageKind::kAsk:
      return OnAsk(client, message);
    default:
      return HandleOfWorker(client, message);
  }
}

/// Handles what the hub's own workers alone may say.
Status RunningHub::HandleOfWorker(HubClient& client, IncomingMessage& message) {
  if (client.worker != 0) {
    switch (message.kind) {
      case MessageKind::kDone:
        return OnDone(client, message);
      case MessageKind::kYield:
        return OnYield(client, message);
      case MessageKind::kGiveBack:
        return OnGiveBack(client, message);
      case MessageKind::kBlocked:
        client.says_blocked = true;
        return Status::OK();
      case MessageKind::kUnblocked:
        client.says_blocked = false;
        return Status::OK();
      default:
        break;
    }
  }
  return Status::Invalid("sent a message of kind ", static_cast<int>(message.kind),
                         ", which it may not");
}

Status RunningHub::OnHello(HubClient& client, IncomingMessage& message) {
  const auto worker = static_cast<WorkerNumber>(message.fields.Number<uint64_t>());
  message.fields.Number<uint64_t>();
  if (!message.fields.ok()) return Status::OK();
  if (worker != 0) {
    const auto found = workers_.find(worker);
    if (found == workers_.end() || found->second.client != 0) {
      return Status::Invalid("said that it is a worker that it is not");
    }
    found->second.client = client.number;
    client.worker = worker;
    scheduler_->WorkerUp(worker);
  }
  client.greeted = true;
  MessageWriter welcome(MessageKind::kWelcome);
  welcome.Number(client.number).Bytes(options_.facts);
  client.link->Send(welcome.Finish());
  return Status::OK();
}

/// Ends the conversation with a client; with one of the hub's workers, its process as well.
void RunningHub::CutOff(uint32_t number, const std::string& why) {
  HubClient* client = FindClient(number);
  if (client == nullptr) return;
  if (client->worker != 0) {
    host_->Kill(client->worker,
                {.cause = ExitCause::kProtocol, .text = "was killed because it " + why});
  }
  CloseClient(number);
}

/// A client has closed its end: it ends, or else it is cut off.
void RunningHub::HungUp(uint32_t number) {
  const WorkerNumber worker = FindClient(number)->worker;
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.stopping || host_->IsEnding(worker)) {
    return CloseClient(number);
  }
  CutOff(number, "closed its socket to the hub");
}

void RunningHub::CloseClient(uint32_t number) {
  auto closed = clients_.extract(number);
  if (closed.empty()) return;
  HubClient& client = closed.mapped();
  client.link->Unwatch();
  for (const uint64_t request : client.requests.Numbers()) DropRequest(client, request);
  const auto worker = workers_.find(client.worker);
  if (worker != workers_.end()) worker->second.client = 0;
  objects_.ClientGone(number);
  store_.ClientGone(number);
}

void RunningHub::TellReusable(uint32_t number, uint64_t segment) {
  if (ending_) return;
  HubClient* client = FindClient(number);
  if (client == nullptr) return;
  MessageWriter reusable(MessageKind::kReusable);
  reusable.Ids({segment});
  client->link->Send(reusable.Finish());
  Touch(*client);
}

}  // namespace penstock::runtime
