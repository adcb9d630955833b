#include <random>

#include "runtime/hub_fixture.h"

namespace penstock::runtime {
namespace {

/// Says things to a hub that no client would: messages of all kinds with fields that may mean
/// something, in any order.
class Babbler {
 public:
  Babbler(PlainClient& client, uint64_t seed) : client_(client), random_(seed) {}

  void Say() {
    MessageWriter message(static_cast<MessageKind>(1 + random_() % 24));
    const uint64_t fields = random_() % 12;
    for (uint64_t i = 0; i < fields; ++i) AddField(message);
    if (random_() % 2 == 0) message = Submission();
    if (random_() % 8 == 0) message = Group();
    if (random_() % 8 == 0) message.Descriptor(STDERR_FILENO);
    client_.Send(message);
  }

 private:
  uint64_t Id() {
    const uint64_t number = random_() % 24;
    return random_() % 4 == 0 ? random_() : MakeId(client_.number(), number);
  }

  void AddField(MessageWriter& message) {
    switch (random_() % 6) {
      case 0:
        message.Number(static_cast<uint32_t>(random_() % 4));
        break;
      case 1:
        message.Bytes("{}");
        break;
      case 2:
        message.Ids({Id(), Id()});
        break;
      case 3:
        AddValue(message);
        break;
      default:
        message.Number(Id());
    }
  }

  void AddValue(MessageWriter& message) {
    const auto form = static_cast<ValueForm>(random_() % 4);
    message.Number(form).Number(static_cast<uint8_t>(random_() % 8));
    if (form == ValueForm::kInline) message.Bytes("value");
    if (form == ValueForm::kShared) {
      message.Number(Id()).Number(random_() % 3).Number(random_() % 9).Number(uint64_t{8});
      message.Number(static_cast<uint8_t>(random_() % 2));
    }
    message.Ids(random_() % 2 == 0 ? std::vector<uint64_t>{} : std::vector<uint64_t>{Id(), Id()});
  }

  /// Returns the making of a placement group, or almost.
  MessageWriter Group() {
    MessageWriter message(MessageKind::kMakeGroup);
    const char* const texts[] = {R"({"bundles": [{"CPU": 1}, {"GPU": 0}], "name": "one"})",
                                 R"({"bundles": [{"CPU": 0.5}], "name": "one"})",
                                 R"({"bundles": [{"none": 1}]})", R"({"bundles": [3]})", "[]"};
    message.Number(random_()).Number(Id()).Bytes(texts[random_() % 8 == 0 ? random_() % 5 : 1]);
    AddValue(message);
    return message;
  }

  /// Returns a submission that is almost one.
  MessageWriter Submission() {
    static const char* const kOptions[] = {
        "",
        R"({"num_cpus": -1, "resources": {"x": "y"}})",
        R"({"num_cpus": 1e300})",
        R"({"max_concurrency": -7, "max_restarts": 1, "name": "n", "get_if_exists": true})",
        R"({"env_vars": 3, "name": ["n"]})",
        "[]",
    };
    MessageWriter message(MessageKind::kSubmit);
    message.Number(Id())
        .Number(static_cast<TaskKind>(random_() % 3))
        .Number(random_() % 3 == 0 ? uint64_t{0} : uint64_t{7})
        .Number(Id())
        .Bytes("method")
        .Number(static_cast<int32_t>(random_() % 4) - 1)
        .Bytes(kOptions[random_() % 6])
        .Number(random_() % 3);
    AddValue(message);
    message.Ids({Id()});
    return message;
  }

  PlainClient& client_;
  std::mt19937_64 random_;
};

TEST_F(HubTest, OutlivesClientsThatTalkNonsense) {
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    client_ = Connect();
    Babbler babbler(*client_, seed);
    for (int i = 0; i < 40; ++i) babbler.Say();
  }
  client_ = Connect();
  EXPECT_EQ(Get(Submit("echo still there")).bytes, "still there");
}

}  // namespace
}  // namespace penstock::runtime
