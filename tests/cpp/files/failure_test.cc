#include "penstock/files/failure.h"

#include <arrow/util/io_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using arrow::internal::IOErrorFromErrno;

FailureClass ClassOfText(const std::string& text) { return ClassOf(Status::IOError(text), {}); }

TEST(FailureClass, FollowsFromTheSystemsErrorNumber) {
  for (const int error : {ECONNRESET, ECONNREFUSED, ETIMEDOUT, EPIPE, EAGAIN}) {
    EXPECT_EQ(ClassOf(IOErrorFromErrno(error, "x"), {}), FailureClass::kTransient) << error;
  }
  EXPECT_EQ(ClassOf(IOErrorFromErrno(ENOENT, "x"), {}), FailureClass::kMissing);
  EXPECT_EQ(ClassOf(IOErrorFromErrno(EACCES, "x"), {}), FailureClass::kDenied);
  EXPECT_EQ(ClassOf(IOErrorFromErrno(ENOSPC, "x"), {}), FailureClass::kLasting);
}

TEST(FailureClass, FollowsFromWhatTheStoresWrite) {
  const std::string begin = "When reading information for key 'a' in bucket 'b': ";
  EXPECT_EQ(ClassOfText(begin + "AWS Error NETWORK_CONNECTION during HeadObject operation: curl"),
            FailureClass::kTransient);
  EXPECT_EQ(ClassOfText(begin + "AWS Error SLOW_DOWN during GetObject operation: wait"),
            FailureClass::kTransient);
  EXPECT_EQ(ClassOfText(begin + "AWS Error UNKNOWN (HTTP status 503) during GetObject operation"),
            FailureClass::kTransient);
  EXPECT_EQ(ClassOfText(begin + "AWS Error NO_SUCH_BUCKET during GetObject operation: no"),
            FailureClass::kMissing);
  EXPECT_EQ(ClassOfText(begin + "AWS Error ACCESS_DENIED during HeadObject operation: no"),
            FailureClass::kDenied);
  EXPECT_EQ(ClassOfText("google::cloud::Status(UNAVAILABLE: Retry policy exhausted"),
            FailureClass::kTransient);
  EXPECT_EQ(ClassOfText("google::cloud::Status(PERMISSION_DENIED: no"), FailureClass::kDenied);
  EXPECT_EQ(ClassOfText("Azure Error: [ServerBusy] 503 The server is busy"),
            FailureClass::kTransient);
  EXPECT_EQ(ClassOfText("whatever else"), FailureClass::kLasting);
}

TEST(FailureClass, IsLastingForWhatIsNoErrorOfTheNetwork) {
  EXPECT_EQ(ClassOf(Status::Invalid("AWS Error SLOW_DOWN"), {}), FailureClass::kLasting);
  EXPECT_EQ(ClassOf(MakeError(ErrorKind::kCorruptData, "AWS Error SLOW_DOWN"), {}),
            FailureClass::kLasting);
}

TEST(RemoteFailure, KeepsWhatIsNotSupported) {
  const Status status =
      RemoteFailure(Status::NotImplemented("no folders"), FailureClass::kLasting, "list", "x", 1);
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_EQ(status.message(), "Cannot list: no folders; got: x");
}

}  // namespace
}  // namespace penstock
