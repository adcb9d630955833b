#include "penstock/files/cloud.h"

#include <arrow/filesystem/azurefs.h>
#include <arrow/filesystem/hdfs.h>
#include <arrow/util/key_value_metadata.h>

#include <chrono>
#include <cstdlib>
#include <set>
#include <utility>

namespace penstock {
namespace {

namespace fs = arrow::fs;
using Json = nlohmann::json;

/// Of Google's library, which cannot be told to try once.
constexpr double kGcsRetrySeconds = 2;

class NoRetries final : public fs::S3RetryStrategy {
 public:
  bool ShouldRetry(const AWSErrorDetail& /*error*/, int64_t /*attempted*/) override {
    return false;
  }
  int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail& /*error*/,
                                        int64_t /*attempted*/) override {
    return 0;
  }
};

/// What pyarrow's class was made with. Errors never show values, which may be secrets.
class Arguments {
 public:
  explicit Arguments(const Json& json) : json_(json) {}

  std::string Text(const std::string& name) { return Get<std::string>(name, ""); }
  bool Flag(const std::string& name) { return Get<bool>(name, false); }

  template <typename Value>
  Value Get(const std::string& name, Value otherwise) {
    known_.insert(name);
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) return otherwise;
    try {
      return found->get<Value>();
    } catch (const Json::exception&) {
      if (wrong_.empty()) wrong_ = name;
      return otherwise;
    }
  }

  /// Invalid where an argument is of the wrong type, or has not been asked for by now.
  Status Check() const {
    if (!wrong_.empty()) {
      return Status::Invalid("The file system has an option of the wrong type: ", wrong_);
    }
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name) && !value.is_null()) {
        return Status::NotImplemented("The file system has an option that is not known here: ",
                                      name);
      }
    }
    return Status::OK();
  }

 private:
  const Json& json_;
  std::set<std::string> known_;
  std::string wrong_;
};

std::shared_ptr<const arrow::KeyValueMetadata> Metadata(Arguments& arguments) {
  const auto pairs = arguments.Get<std::map<std::string, std::string>>("default_metadata", {});
  if (pairs.empty()) return nullptr;
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [name, value] : pairs) metadata->Append(name, value);
  return metadata;
}

fs::S3Options S3Credentials(Arguments& arguments) {
  const std::string access_key = arguments.Text("access_key");
  const std::string secret_key = arguments.Text("secret_key");
  const std::string session_token = arguments.Text("session_token");
  const std::string role = arguments.Text("role_arn");
  const std::string session = arguments.Text("session_name");
  const std::string external = arguments.Text("external_id");
  const int load_frequency = arguments.Get("load_frequency", 900);
  if (arguments.Flag("anonymous")) return fs::S3Options::Anonymous();
  if (!access_key.empty()) {
    return fs::S3Options::FromAccessKey(access_key, secret_key, session_token);
  }
  if (role.empty()) return fs::S3Options::Defaults();
  return fs::S3Options::FromAssumeRole(role, session, external, load_frequency);
}

Result<std::shared_ptr<fs::FileSystem>> OpenS3With(Arguments arguments) {
  PENSTOCK_RETURN_NOT_OK(StartS3());
  fs::S3Options options = S3Credentials(arguments);
  options.region = arguments.Text("region");
  options.scheme = arguments.Get<std::string>("scheme", "https");
  options.endpoint_override = arguments.Text("endpoint_override");
  options.connect_timeout = arguments.Get("connect_timeout", options.connect_timeout);
  options.request_timeout = arguments.Get("request_timeout", options.request_timeout);
  options.background_writes = arguments.Get("background_writes", true);
  options.allow_delayed_open = arguments.Flag("allow_delayed_open");
  options.allow_bucket_creation = arguments.Flag("allow_bucket_creation");
  options.allow_bucket_deletion = arguments.Flag("allow_bucket_deletion");
  options.check_directory_existence_before_creation =
      arguments.Flag("check_directory_existence_before_creation");
  options.force_virtual_addressing = arguments.Flag("force_virtual_addressing");
  options.tls_ca_file_path = arguments.Text("tls_ca_file_path");
  options.default_metadata = Metadata(arguments);
  const Json proxy_json = arguments.Get("proxy_options", Json::object());
  Arguments proxy(proxy_json);
  options.proxy_options.scheme = proxy.Text("scheme");
  options.proxy_options.host = proxy.Text("host");
  options.proxy_options.port = proxy.Get("port", -1);
  options.proxy_options.username = proxy.Text("username");
  options.proxy_options.password = proxy.Text("password");
  PENSTOCK_RETURN_NOT_OK(proxy.Check());
  PENSTOCK_RETURN_NOT_OK(arguments.Check());
  return OpenS3(std::move(options));
}

Result<std::shared_ptr<fs::FileSystem>> OpenGcsWith(Arguments arguments) {
  const std::string token = arguments.Text("access_token");
  const auto expires = std::chrono::duration<double>(arguments.Get("expiration_seconds", 0.0));
  fs::GcsOptions options =
      arguments.Flag("anonymous") ? fs::GcsOptions::Anonymous()
      : token.empty()
          ? fs::GcsOptions::Defaults()
          : fs::GcsOptions::FromAccessToken(
                token, fs::TimePoint(std::chrono::duration_cast<fs::TimePoint::duration>(expires)));
  const std::string account = arguments.Text("target_service_account");
  if (!account.empty()) {
    options = fs::GcsOptions::FromImpersonatedServiceAccount(options.credentials, account);
  }
  options.default_bucket_location = arguments.Text("default_bucket_location");
  options.scheme = arguments.Get<std::string>("scheme", "https");
  options.endpoint_override = arguments.Text("endpoint_override");
  options.default_metadata = Metadata(arguments);
  const double retry_seconds = arguments.Get("retry_limit_seconds", -1.0);
  if (retry_seconds >= 0) options.retry_limit_seconds = retry_seconds;
  const std::string project = arguments.Text("project_id");
  if (!project.empty()) options.project_id = project;
  PENSTOCK_RETURN_NOT_OK(arguments.Check());
  return OpenGcs(std::move(options));
}

Status SetAzureCredentials(Arguments& arguments, fs::AzureOptions& options) {
  const std::string key = arguments.Text("account_key");
  const std::string token = arguments.Text("sas_token");
  const std::string tenant = arguments.Text("tenant_id");
  const std::string client = arguments.Text("client_id");
  const std::string secret = arguments.Text("client_secret");
  if (!tenant.empty() && !secret.empty()) {
    return options.ConfigureClientSecretCredential(tenant, client, secret);
  }
  if (!client.empty()) return options.ConfigureManagedIdentityCredential(client);
  if (!key.empty()) return options.ConfigureAccountKeyCredential(key);
  if (!token.empty()) return options.ConfigureSASCredential(token);
  return options.ConfigureDefaultCredential();
}

Result<std::shared_ptr<fs::FileSystem>> OpenAzureWith(Arguments arguments) {
  fs::AzureOptions options;
  options.account_name = arguments.Text("account_name");
  options.blob_storage_authority =
      arguments.Get("blob_storage_authority", options.blob_storage_authority);
  options.dfs_storage_authority =
      arguments.Get("dfs_storage_authority", options.dfs_storage_authority);
  options.blob_storage_scheme = arguments.Get("blob_storage_scheme", options.blob_storage_scheme);
  options.dfs_storage_scheme = arguments.Get("dfs_storage_scheme", options.dfs_storage_scheme);
  PENSTOCK_RETURN_NOT_OK(SetAzureCredentials(arguments, options));
  PENSTOCK_RETURN_NOT_OK(arguments.Check());
  return fs::AzureFileSystem::Make(options);
}

Result<std::shared_ptr<fs::FileSystem>> OpenHadoopWith(Arguments arguments) {
  fs::HdfsOptions options;
  options.ConfigureEndPoint(arguments.Text("host"), arguments.Get("port", 8020));
  options.ConfigureReplication(arguments.Get<int16_t>("replication", 3));
  options.ConfigureBufferSize(arguments.Get("buffer_size", 0));
  options.ConfigureBlockSize(arguments.Get<int64_t>("default_block_size", 0));
  const std::string user = arguments.Text("user");
  if (!user.empty()) options.ConfigureUser(user);
  const std::string ticket = arguments.Text("kerb_ticket");
  if (!ticket.empty()) options.ConfigureKerberosTicketCachePath(ticket);
  for (const auto& [key, value] :
       arguments.Get<std::map<std::string, std::string>>("extra_conf", {})) {
    options.ConfigureExtraConf(key, value);
  }
  PENSTOCK_RETURN_NOT_OK(arguments.Check());
  return fs::HadoopFileSystem::Make(options);
}

}  // namespace

Status StartS3() {
  PENSTOCK_RETURN_NOT_OK(fs::EnsureS3Initialized());
  // Noted after the library's own objects were made, so that it runs before they go.
  static const bool ends_with_process = [] {
    return std::atexit([] { (void)fs::EnsureS3Finalized(); }) == 0;
  }();
  return ends_with_process ? Status::OK() : Status::OutOfMemory("no room to note how S3 ends");
}

Result<std::shared_ptr<fs::FileSystem>> OpenS3(fs::S3Options options) {
  options.retry_strategy = std::make_shared<NoRetries>();
  return fs::S3FileSystem::Make(options);
}

Result<std::shared_ptr<fs::FileSystem>> OpenGcs(fs::GcsOptions options) {
  if (!options.retry_limit_seconds) options.retry_limit_seconds = kGcsRetrySeconds;
  return fs::GcsFileSystem::Make(options);
}

Result<std::shared_ptr<fs::FileSystem>> OpenCloud(const std::string& kind, const Json& arguments) {
  if (!arguments.is_object()) return Status::Invalid("A file system's options must be an object");
  if (kind == "s3") return OpenS3With(Arguments(arguments));
  if (kind == "gcs") return OpenGcsWith(Arguments(arguments));
  if (kind == "abfs") return OpenAzureWith(Arguments(arguments));
  if (kind == "hdfs") return OpenHadoopWith(Arguments(arguments));
  return Status::Invalid("There is no file system of this kind; known: s3, gcs, abfs, hdfs; got: ",
                         kind);
}

}  // namespace penstock
