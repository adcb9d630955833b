#include "penstock/plan/retry_options.h"

#include "penstock/plan/at_least.h"
#include "penstock/plan/json_fields.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

Json RuleToJson(const ExceptionRetries& rule) {
  return {{"name", rule.name},
          {"class", rule.exception_class},
          {"but", rule.but},
          {"retries", rule.retries}};
}

Status CheckObject(const char* what, const Json& json) {
  if (json.is_object()) return Status::OK();
  return Status::Invalid(
      what, " must be an object; got: ", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<ExceptionRetries> RuleFromJson(const Json& json) {
  ExceptionRetries rule;
  PENSTOCK_RETURN_NOT_OK(CheckObject("each of retries.exceptions", json));
  PENSTOCK_RETURN_NOT_OK(Take(json, "name", rule.name));
  PENSTOCK_RETURN_NOT_OK(Take(json, "class", rule.exception_class));
  PENSTOCK_RETURN_NOT_OK(Take(json, "but", rule.but));
  PENSTOCK_RETURN_NOT_OK(Take(json, "retries", rule.retries));
  return rule;
}

}  // namespace

Status CheckRetryOptions(const RetryOptions& options) {
  PENSTOCK_RETURN_NOT_OK(AtLeast("retries.crash", -1, options.crash));
  PENSTOCK_RETURN_NOT_OK(AtLeast("retries.timeout", -1, options.timeout));
  PENSTOCK_RETURN_NOT_OK(AtLeast("retries.out_of_memory", -1, options.out_of_memory));
  for (const ExceptionRetries& rule : options.exceptions) {
    if (rule.exception_class.empty()) {
      return Status::Invalid("retries.exceptions must name classes; got none for: ", rule.name);
    }
    PENSTOCK_RETURN_NOT_OK(AtLeast("retries.exceptions", -1, rule.retries));
  }
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("retries.wait_ms", 0, options.wait_ms));
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("retries.wait_max_ms", 0, options.wait_max_ms));
  return AtLeast("retries.max_build_kills", -1, options.max_build_kills);
}

Json RetryOptionsToJson(const RetryOptions& options) {
  Json json{{"exceptions", Json::array()},
            {"wait_ms", options.wait_ms},
            {"wait_max_ms", options.wait_max_ms},
            {"max_build_kills", options.max_build_kills}};
  PutOptional(json, "crash", options.crash);
  PutOptional(json, "timeout", options.timeout);
  PutOptional(json, "out_of_memory", options.out_of_memory);
  for (const ExceptionRetries& rule : options.exceptions) {
    json["exceptions"].push_back(RuleToJson(rule));
  }
  return json;
}

Result<RetryOptions> RetryOptionsFromJson(const Json& json) {
  RetryOptions options;
  Json rules = Json::array();
  PENSTOCK_RETURN_NOT_OK(CheckObject("retries", json));
  PENSTOCK_RETURN_NOT_OK(Take(json, "crash", options.crash));
  PENSTOCK_RETURN_NOT_OK(Take(json, "timeout", options.timeout));
  PENSTOCK_RETURN_NOT_OK(Take(json, "out_of_memory", options.out_of_memory));
  PENSTOCK_RETURN_NOT_OK(Take(json, "exceptions", rules));
  PENSTOCK_RETURN_NOT_OK(Take(json, "wait_ms", options.wait_ms));
  PENSTOCK_RETURN_NOT_OK(Take(json, "wait_max_ms", options.wait_max_ms));
  PENSTOCK_RETURN_NOT_OK(Take(json, "max_build_kills", options.max_build_kills));
  for (const Json& rule : rules) {
    PENSTOCK_TRY(options.exceptions.emplace_back(), RuleFromJson(rule));
  }
  return options;
}

}  // namespace penstock
