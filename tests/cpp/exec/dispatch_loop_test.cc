#include "penstock/exec/dispatch_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock {
namespace {

using testing::ElementsAre;

/// Answers BlockTaken with DropBlock, which is quick; WorkerUp with StartWorker, which is not;
/// Cancel with Finish.
class AnsweringDispatcher final : public Dispatcher {
 public:
  explicit AnsweringDispatcher(bool ends_at_tick) : ends_at_tick_(ends_at_tick) {}

  std::vector<Action> Start(int64_t now_ns) override { return {}; }
  std::vector<Action> Handle(const Event& event, int64_t now_ns) override {
    return HandleAll({event}, now_ns);
  }
  std::vector<Action> HandleAll(const std::vector<Event>& events, int64_t now_ns) override {
    std::vector<Action> actions;
    for (const Event& event : events) {
      if (const auto* taken = std::get_if<BlockTaken>(&event)) {
        actions.emplace_back(DropBlock{taken->block});
      }
      if (std::holds_alternative<WorkerUp>(event)) actions.emplace_back(StartWorker{});
      const bool ends = std::holds_alternative<Tick>(event) ? ends_at_tick_
                                                            : std::holds_alternative<Cancel>(event);
      if (ends) actions.emplace_back(Finish{});
    }
    return actions;
  }
  Snapshot TakeSnapshot(int64_t now_ns) const override { return {}; }
  std::string Describe() const override { return ""; }

 private:
  const bool ends_at_tick_;
};

/// Notes what is carried out, and whether the thread of the test does it.
class NotingHands final : public ActionHands {
 public:
  void Receive(PostedEvent* posted) override {}
  void CarryOut(const Action& action) override {
    {
      MutexLock lock(mutex_);
      const char* const who = std::this_thread::get_id() == test_ ? " here" : " there";
      notes_.push_back(NameOf(action) + who);
    }
    if (then) then(action);
  }
  void Pause() override {}

  std::vector<std::string> notes() {
    MutexLock lock(mutex_);
    return notes_;
  }

  std::function<void(const Action&)> then;

 private:
  static std::string NameOf(const Action& action) {
    if (const auto* drop = std::get_if<DropBlock>(&action)) {
      return "drop " + std::to_string(drop->block);
    }
    return std::holds_alternative<Finish>(action) ? "finish" : "start";
  }

  const std::thread::id test_ = std::this_thread::get_id();
  Mutex mutex_;
  std::vector<std::string> notes_ PENSTOCK_GUARDED_BY(mutex_);
};

class DispatchLoopTest : public testing::Test {
 protected:
  void PostQuietly(Event event) {
    const EventQueue::Quiet quiet(events_);
    events_.Post(std::move(event));
  }
  void Begin(bool ends_at_tick = false) {
    loop_.emplace(events_, std::make_unique<AnsweringDispatcher>(ends_at_tick), hands_);
    loop_->Start();
  }
  std::vector<std::string> NotesAtTheEnd() {
    events_.Post(Cancel{});
    loop_->Join();
    return hands_.notes();
  }

  EventQueue events_;
  NotingHands hands_;
  std::optional<DispatchLoop> loop_;
};

TEST_F(DispatchLoopTest, HandlesWhatIsPostedOnItsOwnThread) {
  Begin();
  events_.Post(BlockTaken{1});
  EXPECT_THAT(NotesAtTheEnd(), ElementsAre("drop 1 there", "finish there"));
}

TEST_F(DispatchLoopTest, TellsTheDispatcherThatTimePasses) {
  Begin(/*ends_at_tick=*/true);
  loop_->Join();
  EXPECT_THAT(hands_.notes(), ElementsAre("finish there"));
}

TEST_F(DispatchLoopTest, HandlesOnTheThreadThatTakesATurnWhatIsPostedInIt) {
  loop_.emplace(events_, std::make_unique<AnsweringDispatcher>(false), hands_);
  PostQuietly(BlockTaken{1});
  PostQuietly(BlockTaken{2});
  loop_->TakeTurn();
  EXPECT_THAT(hands_.notes(), ElementsAre("drop 1 here", "drop 2 here"));
}

TEST_F(DispatchLoopTest, LeavesToItsOwnThreadWhatIsNotQuickAndAllThatFollows) {
  loop_.emplace(events_, std::make_unique<AnsweringDispatcher>(false), hands_);
  PostQuietly(BlockTaken{1});
  PostQuietly(WorkerUp{});
  PostQuietly(BlockTaken{2});
  loop_->TakeTurn();
  PostQuietly(BlockTaken{3});
  loop_->TakeTurn();
  EXPECT_THAT(hands_.notes(), ElementsAre("drop 1 here"));
  loop_->Start();
  EXPECT_THAT(NotesAtTheEnd(), ElementsAre("drop 1 here", "start there", "drop 2 there",
                                           "drop 3 there", "finish there"));
}

TEST_F(DispatchLoopTest, WhoeverHasTheTurnHandlesWhatOthersPostMeanwhile) {
  loop_.emplace(events_, std::make_unique<AnsweringDispatcher>(false), hands_);
  hands_.then = [this](const Action& action) {
    if (std::get<DropBlock>(action).block != 1) return;
    std::thread other([this] {
      PostQuietly(BlockTaken{2});
      loop_->TakeTurn();  // Returns at once.
    });
    other.join();
  };
  PostQuietly(BlockTaken{1});
  loop_->TakeTurn();
  EXPECT_THAT(hands_.notes(), ElementsAre("drop 1 here", "drop 2 here"));
}

TEST_F(DispatchLoopTest, KeepsNoThreadForLongThatOnlyTookATurn) {
  loop_.emplace(events_, std::make_unique<AnsweringDispatcher>(false), hands_);
  hands_.then = [this](const Action& action) {
    const auto* const drop = std::get_if<DropBlock>(&action);
    if (drop != nullptr && drop->block < 100) PostQuietly(BlockTaken{drop->block + 1});
  };
  PostQuietly(BlockTaken{1});
  loop_->TakeTurn();
  EXPECT_THAT(hands_.notes().size(), testing::AllOf(testing::Ge(1), testing::Le(10)));
  loop_->Start();
  while (hands_.notes().size() < 100) std::this_thread::yield();
  EXPECT_EQ(NotesAtTheEnd().back(), "finish there");
}

TEST_F(DispatchLoopTest, WhatATurnLeavesBehindWakesItsOwnThread) {
  Begin();
  PostQuietly(WorkerUp{});
  loop_->TakeTurn();
  while (hands_.notes().empty()) std::this_thread::yield();
  EXPECT_THAT(NotesAtTheEnd(), ElementsAre("start there", "finish there"));
}

TEST_F(DispatchLoopTest, HandlesEachEventOnceWhoeverHasTheTurn) {
  constexpr int64_t kThreads = 4;
  constexpr int64_t kEvents = 500;
  Begin();
  std::vector<std::thread> threads;
  for (int64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int64_t event = 0; event < kEvents; ++event) {
        const BlockTaken taken{thread * kEvents + event};
        if (event % 8 == thread) {
          events_.Post(taken);
        } else {
          PostQuietly(taken);
          loop_->TakeTurn();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::string> wanted;
  for (int64_t event = 0; event < kThreads * kEvents; ++event) {
    wanted.push_back("drop " + std::to_string(event) + " there");
  }
  wanted.emplace_back("finish there");
  EXPECT_THAT(NotesAtTheEnd(), testing::UnorderedElementsAreArray(wanted));
}

TEST_F(DispatchLoopTest, TurnsAfterTheEndDoNothing) {
  Begin();
  EXPECT_THAT(NotesAtTheEnd(), ElementsAre("finish there"));
  PostQuietly(BlockTaken{1});
  loop_->TakeTurn();
  EXPECT_THAT(hands_.notes(), ElementsAre("finish there"));
}

}  // namespace
}  // namespace penstock
