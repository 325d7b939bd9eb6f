"""The catalogue's calls against the AWS SDK's service models, and against what has to be watched."""

import functools
import json
import subprocess

import botocore.session
import pytest

ROWS = json.loads(
    subprocess.run(
        ["cargo", "run", "--quiet", "--locked", "-p", "tripmeter-catalogue", "--example", "catalogue"],
        check=True,
        capture_output=True,
    ).stdout
)
CALLS = [row["call"] for row in ROWS]

# What a detector for hijacked mail, SMS and model services has to know, by service. Written down once and frozen:
# a call may move to another kind in the catalogue, but not out of it.
WATCHED = {
    "Ses": """
        GetSendQuota GetSendStatistics GetAccountSendingEnabled GetAccount ListIdentities ListEmailIdentities
        GetIdentityVerificationAttributes ListVerifiedEmailAddresses
        UpdateAccountSendingEnabled UpdateConfigurationSetSendingEnabled PutAccountDetails PutAccountSendingAttributes
        PutAccountPricingAttributes PutAccountDedicatedIpWarmupAttributes PutConfigurationSetSendingOptions
        PutIdentityPolicy CreateEmailIdentityPolicy UpdateEmailIdentityPolicy CreateEmailIdentity VerifyEmailIdentity
        VerifyEmailAddress VerifyDomainIdentity VerifyDomainDkim CreateDedicatedIpPool CreateImportJob CreateTenant
        UpdateReputationEntityCustomerManagedStatus UpdateReputationEntityPolicy
        DeleteConfigurationSetEventDestination UpdateConfigurationSetEventDestination PutAccountSuppressionAttributes
        DeleteSuppressedDestination UpdateConfigurationSetReputationMetricsEnabled PutConfigurationSetReputationOptions
        PutAccountVdmAttributes SetIdentityFeedbackForwardingEnabled
        SendEmail SendRawEmail SendTemplatedEmail SendBulkTemplatedEmail SendBulkEmail
    """,
    "Sns": """
        GetSMSAttributes GetSMSSandboxAccountStatus ListOriginationNumbers ListSMSSandboxPhoneNumbers ListTopics
        ListSubscriptions SetSMSAttributes OptInPhoneNumber CreateSMSSandboxPhoneNumber VerifySMSSandboxPhoneNumber
        SetTopicAttributes AddPermission Subscribe CreateTopic DeleteTopic Unsubscribe Publish PublishBatch
    """,
    "Sms": """
        DescribeAccountLimits DescribeSpendLimits DescribeAccountAttributes DescribePhoneNumbers
        SetTextMessageSpendLimitOverride SetMediaMessageSpendLimitOverride SetVoiceMessageSpendLimitOverride
        SetRcsMessageSpendLimitOverride SetNotifyMessageSpendLimitOverride
        DeleteTextMessageSpendLimitOverride DeleteMediaMessageSpendLimitOverride DeleteVoiceMessageSpendLimitOverride
        DeleteRcsMessageSpendLimitOverride DeleteNotifyMessageSpendLimitOverride
        RequestPhoneNumber RequestSenderId UpdateProtectConfigurationCountryRuleSet
        SetAccountDefaultProtectConfiguration CreateRegistration SubmitRegistrationVersion PutResourcePolicy
        DeleteProtectConfiguration DisassociateProtectConfiguration DeleteAccountDefaultProtectConfiguration
        UpdateProtectConfiguration
        SendTextMessage SendMediaMessage SendVoiceMessage SendRcsMessage SendNotifyTextMessage SendNotifyVoiceMessage
        SendDestinationNumberVerificationCode CarrierLookup
    """,
    "Bedrock": """
        ListFoundationModels GetFoundationModel GetFoundationModelAvailability ListFoundationModelAgreementOffers
        GetUseCaseForModelAccess GetModelInvocationLoggingConfiguration ListInferenceProfiles
        ListProvisionedModelThroughputs ListCustomModels ListImportedModels
        PutUseCaseForModelAccess CreateFoundationModelAgreement PutFoundationModelEntitlement
        CreateProvisionedModelThroughput UpdateProvisionedModelThroughput CreateInferenceProfile CreateModelImportJob
        CreateCustomModelDeployment CreateMarketplaceModelEndpoint RegisterMarketplaceModelEndpoint PutResourcePolicy
        PutAccountDataRetention
        DeleteModelInvocationLoggingConfiguration PutModelInvocationLoggingConfiguration DeleteGuardrail
        UpdateGuardrail DeleteEnforcedGuardrailConfiguration PutEnforcedGuardrailConfiguration
        DeleteAutomatedReasoningPolicy UpdateAutomatedReasoningPolicy UpdateAutomatedReasoningPolicyAnnotations
        UpdateAutomatedReasoningPolicyTestCase
        InvokeModel InvokeModelWithResponseStream InvokeModelWithBidirectionalStream Converse ConverseStream
        StartAsyncInvoke CreateModelInvocationJob CreateModelCustomizationJob InvokeAgent InvokeInlineAgent InvokeFlow
        Retrieve RetrieveAndGenerate Rerank ApplyGuardrail
    """,
    "AgentCore": "InvokeAgentRuntime InvokeCodeInterpreter InvokeBrowser InvokeWebSearch",
    "BedrockMantle": "ListModels GetModel CreateInference",
    "ClaudePlatform": "CreateInference CreateBatchInference",
    "SageMaker": "InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream",
    "WorkMail": "CreateOrganization CreateUser RegisterToWorkMail RegisterMailDomain",
    "Cognito": "CreateUserPool UpdateUserPool SetUserPoolMfaConfig SignUp AdminCreateUser ResendConfirmationCode",
    "Marketplace": "AcceptAgreementRequest",
    "ServiceQuotas": """
        GetServiceQuota ListServiceQuotas GetAWSDefaultServiceQuota RequestServiceQuotaIncrease
        PutServiceQuotaIncreaseRequestIntoTemplate AssociateServiceQuotaTemplate StartAutoManagement CreateSupportCase
    """,
    "Support": "CreateCase",
    "Account": "EnableRegion DisableRegion PutAlternateContact DeleteAlternateContact",
    "FreeTier": "UpgradeAccountPlan",
    "Billing": "UpdateBillingPreferences RedeemCredits",
    "Budgets": """
        UpdateBudget DeleteBudget DeleteNotification DeleteSubscriber DeleteBudgetAction UpdateBudgetAction
    """,
    "CostExplorer": """
        GetCostAndUsage GetCostForecast DeleteAnomalyMonitor DeleteAnomalySubscription UpdateAnomalySubscription
    """,
    "CloudWatch": "DeleteAlarms DisableAlarmActions SetAlarmState PutMetricAlarm",
    "CloudTrail": "StopLogging DeleteTrail UpdateTrail PutEventSelectors PutEventConfiguration",
    "EventBridge": "DisableRule DeleteRule PutRule RemoveTargets",
    "Lambda": """
        DeleteFunction UpdateFunctionConfiguration UpdateFunctionCode PutFunctionConcurrency DeleteEventSourceMapping
        UpdateEventSourceMapping
    """,
    "Sqs": "DeleteQueue PurgeQueue",
    "DynamoDb": "DeleteTable UpdateTimeToLive",
    "Kms": "DisableKey ScheduleKeyDeletion",
    "CloudFormation": "DeleteStack",
    "Logs": "DeleteLogGroup DeleteSubscriptionFilter",
    "GuardDuty": "DeleteDetector UpdateDetector CreateFilter",
    "Organizations": "LeaveOrganization DetachPolicy DisablePolicyType",
    "Iam": """
        ListServiceSpecificCredentials CreateServiceSpecificCredential ResetServiceSpecificCredential
        UpdateServiceSpecificCredential CreateAccessKey UpdateAccessKey CreateLoginProfile UpdateLoginProfile CreateUser
        AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy CreatePolicy
        CreatePolicyVersion AddUserToGroup UpdateAssumeRolePolicy DeactivateMFADevice DetachUserPolicy
        EnableOutboundWebIdentityFederation
    """,
    "Sts": """
        GetCallerIdentity GetFederationToken GetSessionToken AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity
    """,
    "Signin": "ConsoleLogin",
}


service_model = functools.cache(botocore.session.get_session().get_service_model)


def operations(models):
    return {name for model in models for name in service_model(model).operation_names}


def by_service():
    services = {}
    for call in CALLS:
        services.setdefault(call["service"], []).append(call)
    return services


@pytest.mark.parametrize("service, calls", by_service().items())
def test_every_call_is_an_operation_of_the_service(service, calls):
    known = operations(calls[0]["sdk_models"])

    unknown = {call["name"] for call in calls if call["name"] not in known and not call["outside_sdk"]}

    assert not unknown


@pytest.mark.parametrize("service, calls", by_service().items())
def test_no_exception_outlives_its_reason(service, calls):
    known = operations(calls[0]["sdk_models"])

    needless = {call["name"] for call in calls if call["outside_sdk"] and call["name"] in known}

    assert not needless


@pytest.mark.parametrize("service", WATCHED)
def test_everything_that_has_to_be_watched_is(service):
    catalogued = {call["name"] for call in by_service().get(service, [])}

    missing = set(WATCHED[service].split()) - catalogued

    assert not missing


def resolves(shape, path):
    """Whether a path as records spell it, in camel case, leads somewhere below a shape of the model."""
    if not path:
        return True
    first, rest = path[0], path[1:]
    match shape.type_name:
        case "structure":
            below = {name.lower(): child for name, child in shape.members.items()}.get(first.lower())
            return below is not None and resolves(below, rest)
        case "list":
            return first == "*" and resolves(shape.member, rest)
        case "map":
            # A map's keys are documented, not modelled.
            return resolves(shape.value, rest)
        case _:
            return False


# The request names the mapping by an id of no meaning; its answer has the names.
NAMED_IN_THE_ANSWER = {"DeleteEventSourceMapping"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['call']['service']}.{row['call']['name']}")
def test_every_parameter_that_a_row_names_is_in_the_request(row):
    call = row["call"]
    if call["outside_sdk"] or call["name"] in NAMED_IN_THE_ANSWER:
        pytest.skip(call["outside_sdk"] or "named in the answer")
    shapes = [
        model.operation_model(call["name"]).input_shape
        for model in map(service_model, call["sdk_models"])
        if call["name"] in model.operation_names
    ]

    lost = [
        alternatives
        for alternatives in row["parameters"]
        if alternatives
        and not any(resolves(shape, path.split(".")) for shape in shapes if shape for path in alternatives)
    ]

    assert not lost
