#include "penstock/runtime/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <random>

#include "runtime/plain_client.h"

namespace penstock::runtime {
namespace {

using ::testing::HasSubstr;

class LinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    poller_ = OwnedDescriptor(::epoll_create1(EPOLL_CLOEXEC));
    link_ = std::make_unique<Link>(OwnedDescriptor(pair[0]), poller_.get(), 1);
    ASSERT_TRUE(link_->Watch().ok());
    client_ = std::make_unique<PlainClient>(pair[1]);
  }

  /// Returns what the link says of all that has come.
  Status ReceiveAll() {
    while (true) {
      PENSTOCK_TRY(const Link::Received received, link_->Receive());
      if (received != Link::Received::kPacket) return Status::OK();
      while (true) {
        PENSTOCK_TRY(std::optional<IncomingMessage> message, link_->Next());
        if (!message) break;
        ++messages_;
        descriptors_ += message->descriptors.size();
      }
    }
  }

  static MessageWriter Message(size_t bytes) {
    MessageWriter message(MessageKind::kText);
    message.Bytes(std::string(bytes, 'x'));
    return message;
  }

  OwnedDescriptor poller_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<PlainClient> client_;
  int messages_ = 0;
  size_t descriptors_ = 0;
};

TEST_F(LinkTest, SendsSeveralMessagesInOnePacket) {
  for (int i = 0; i < 10; ++i) link_->Send(Message(10).Finish());
  EXPECT_EQ(link_->queued_packets(), 1);
  link_->Flush();
  EXPECT_EQ(link_->queued_packets(), 0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(client_->Receive().has_value());
}

TEST_F(LinkTest, KeepsWhatTheSocketDoesNotTakeUntilThereIsRoom) {
  for (int i = 0; i < 100; ++i) link_->Send(Message(60'000).Finish());
  link_->Flush();
  EXPECT_GT(link_->queued_packets(), 0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client_->Receive().has_value());
    link_->Flush();
  }
  EXPECT_EQ(link_->queued_packets(), 0);
}

TEST_F(LinkTest, CutsALongMessageAndItsDescriptorsIntoPackets) {
  const int file = ::memfd_create("file", MFD_CLOEXEC);
  std::vector<LentDescriptor> lent(300, LentDescriptor{.descriptor = file});
  MessageWriter message = Message(150'000);
  for (int i = 0; i < 300; ++i) message.Descriptor(file);
  link_->Send(Message(7).Finish());
  link_->Send(message.Finish(), lent);
  link_->Send(Message(9).Finish());
  link_->Flush();
  EXPECT_EQ(client_->Receive()->fields.size(), 4 + 7);
  const std::optional<PlainMessage> received = client_->Receive();
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->fields.size(), 4 + 150'000);
  EXPECT_EQ(received->descriptors.size(), 300);
  EXPECT_EQ(client_->Receive()->fields.size(), 4 + 9);
  for (const int descriptor : received->descriptors) ::close(descriptor);
  ::close(file);
}

TEST_F(LinkTest, PutsALongMessageAndItsDescriptorsTogether) {
  const int file = ::memfd_create("file", MFD_CLOEXEC);
  MessageWriter message = Message(100'000);
  for (int i = 0; i < 100; ++i) message.Descriptor(file);
  client_->Send(message);
  ASSERT_TRUE(ReceiveAll().ok());
  EXPECT_EQ(messages_, 1);
  EXPECT_EQ(descriptors_, 100);
  ::close(file);
}

TEST_F(LinkTest, RefusesAMessageWithoutItsDescriptors) {
  MessageWriter message = Message(10);
  message.Descriptor(0);
  client_->SendBytes(message.Finish());
  EXPECT_THAT(ReceiveAll().message(), HasSubstr("with 0 descriptors instead of 1"));
}

TEST_F(LinkTest, RefusesAMessageShorterThanItsHeaderAndOneThatIsTooLong) {
  MessageHeader header{.bytes = 7, .kind = MessageKind::kText};
  client_->SendBytes({reinterpret_cast<const char*>(&header), sizeof header});
  EXPECT_THAT(ReceiveAll().message(), HasSubstr("a message of 7 bytes"));
  SetUp();
  header.bytes = kMessageBytesMax + 1;
  client_->SendBytes({reinterpret_cast<const char*>(&header), sizeof header});
  EXPECT_THAT(ReceiveAll().message(), HasSubstr("sent a message of"));
}

TEST_F(LinkTest, TakesNonsenseWithoutReadingBeyondIt) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes(1 + random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : 0);
    client_->SendBytes(bytes);
    if (!ReceiveAll().ok()) SetUp();
  }
}

TEST(MessageReaderTest, ReadsZeroAndNothingBeyondTheEnd) {
  MessageWriter message(MessageKind::kText);
  message.Number(uint32_t{100}).Number(uint16_t{1});
  const std::string bytes = message.Finish();
  MessageReader reader(std::string_view(bytes).substr(sizeof(MessageHeader)));
  EXPECT_TRUE(reader.Ids().empty());
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Number<uint16_t>(), 0);
  EXPECT_TRUE(reader.Bytes().empty());
}

}  // namespace
}  // namespace penstock::runtime
