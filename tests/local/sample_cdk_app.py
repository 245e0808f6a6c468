"""A CDK app with one of everything that localcloud deploys: two stacks, the second importing from the first.

`python sample_cdk_app.py FOLDER` synthesises two revisions, FOLDER/1 and FOLDER/2, which differ in
properties, and beside them a stack with a resource type that nobody provides.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_athena as athena
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

HANDLER = "import os\ndef handler(event, context):\n    return {'revision': os.environ['REVISION']}\n"
CUSTOM_HANDLER = """
import json, urllib.request
def handler(event, context):
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    length = len(event["ResourceProperties"]["Word"])
    answer.update(Status="SUCCESS", PhysicalResourceId="counted", Data={"Length": length})
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request)
"""


class DataStack(cdk.Stack):
    """Storage, keys, tables and what describes them."""

    def __init__(self, scope: Construct, construct_id: str, revision: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.key = kms.Key(
            self,
            "Key",
            alias="sample/data",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            enforce_ssl=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            enforce_ssl=True,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="sample/",
            event_bridge_enabled=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(30 * int(revision)),
                    noncurrent_version_expiration=cdk.Duration.days(7),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        s3.Bucket(self, "Kept", bucket_name="sample-kept-bucket", removal_policy=cdk.RemovalPolicy.RETAIN)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires_at",
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            dynamo_stream=dynamodb.StreamViewType.NEW_IMAGE,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        dynamodb.Table(
            self,
            "ClassicTable",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self._add_catalogue()
        ssm.StringParameter(self, "Setting", parameter_name="/sample/revision", string_value=revision)
        secretsmanager.Secret(
            self,
            "Secret",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template='{"user":"sample"}', generate_string_key="password", password_length=24
            ),
        )
        cdk.CfnOutput(self, "BucketName", value=self.bucket.bucket_name)
        cdk.CfnOutput(self, "BucketDomain", value=self.bucket.bucket_regional_domain_name)
        cdk.CfnOutput(self, "TableName", value=self.table.table_name)
        cdk.CfnOutput(self, "KeyArn", value=self.key.key_arn)

    def _add_catalogue(self) -> None:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input={"name": "sample", "description": "Sample"},
        )
        table = glue.CfnTable(
            self,
            "CatalogTable",
            catalog_id=self.account,
            database_name="sample",
            table_input=glue.CfnTable.TableInputProperty(
                name="rows",
                table_type="EXTERNAL_TABLE",
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name="a", type="string")],
                    location=f"s3://{self.bucket.bucket_name}/rows/",
                ),
            ),
        )
        table.add_dependency(database)
        security = glue.CfnSecurityConfiguration(
            self,
            "Security",
            name="sample-security",
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                s3_encryptions=[
                    glue.CfnSecurityConfiguration.S3EncryptionProperty(
                        s3_encryption_mode="SSE-KMS", kms_key_arn=self.key.key_arn
                    )
                ]
            ),
        )
        role = iam.Role(self, "GlueRole", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        self.bucket.grant_read_write(role)
        glue.CfnJob(
            self,
            "Job",
            name="sample-job",
            role=role.role_arn,
            glue_version="5.0",
            worker_type="G.1X",
            number_of_workers=2,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=f"s3://{self.bucket.bucket_name}/job.py"
            ),
            default_arguments={"--job-language": "python"},
            security_configuration=security.ref,
            tags={"part": "data"},
        )
        group = athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name="sample",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self.bucket.bucket_name}/athena/"
                ),
            ),
        )
        query = athena.CfnNamedQuery(
            self, "Query", database="sample", query_string="SELECT 1", name="one", work_group="sample"
        )
        query.add_dependency(group)


class ServiceStack(cdk.Stack):
    """Functions, an API, machines and what watches them."""

    def __init__(
        self, scope: Construct, construct_id: str, data: DataStack, revision: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.topic = sns.Topic(self, "Topic", display_name="Sample", enforce_ssl=True)
        dead_letters = sqs.Queue(self, "DeadLetters", enforce_ssl=True)
        queue = sqs.Queue(
            self,
            "Queue",
            enforce_ssl=True,
            visibility_timeout=cdk.Duration.seconds(60),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=3),
        )
        function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_11,
            handler="index.handler",
            code=lambda_.Code.from_inline(HANDLER),
            environment={"REVISION": revision, "TABLE": data.table.table_name},
            timeout=cdk.Duration.seconds(20),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=logs.LogGroup(
                self,
                "FunctionLogs",
                retention=logs.RetentionDays.ONE_WEEK,
                removal_policy=cdk.RemovalPolicy.DESTROY,
            ),
        )
        data.table.grant_read_data(function)
        function.add_event_source(
            sources.SqsEventSource(queue, batch_size=5, report_batch_item_failures=True)
        )
        lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)
        self._add_api(function)
        self._add_machine(function, revision)
        self._add_watch(function, dead_letters)
        self._add_custom_resource(revision)
        cognito.UserPool(self, "Users", removal_policy=cdk.RemovalPolicy.DESTROY).add_client("App")
        cdk.CfnOutput(self, "FunctionName", value=function.function_name)
        cdk.CfnOutput(self, "QueueUrl", value=queue.queue_url)
        cdk.CfnOutput(self, "TopicArn", value=self.topic.topic_arn)

    def _add_api(self, function: lambda_.Function) -> None:
        api = apigateway.RestApi(
            self,
            "Api",
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=cdk.RemovalPolicy.DESTROY,
            deploy_options=apigateway.StageOptions(
                stage_name="v1",
                tracing_enabled=True,
                throttling_rate_limit=100,
                throttling_burst_limit=200,
                logging_level=apigateway.MethodLoggingLevel.INFO,
                access_log_destination=apigateway.LogGroupLogDestination(
                    logs.LogGroup(self, "AccessLog", removal_policy=cdk.RemovalPolicy.DESTROY)
                ),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True, http_method=True, ip=True, protocol=True, request_time=True,
                    resource_path=True, response_length=True, status=True, user=True,
                ),
            ),
            default_cors_preflight_options=apigateway.CorsOptions(allow_origins=["*"]),
        )  # fmt: skip
        api.add_gateway_response("Refused", type=apigateway.ResponseType.BAD_REQUEST_BODY, status_code="422")
        model = api.add_model(
            "Body",
            content_type="application/json",
            schema=apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT, required=["id"]),
        )
        validator = api.add_request_validator("Validator", validate_request_body=True)
        api.root.add_resource("things").add_method(
            "POST",
            apigateway.LambdaIntegration(function),
            api_key_required=True,
            request_models={"application/json": model},
            request_validator=validator,
        )
        plan = api.add_usage_plan("Plan", throttle=apigateway.ThrottleSettings(rate_limit=10, burst_limit=20))
        plan.add_api_key(api.add_api_key("ApiKey"))
        plan.add_api_stage(stage=api.deployment_stage)
        firewall = wafv2.CfnWebACL(
            self,
            "Firewall",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=wafv2.CfnWebACL.VisibilityConfigProperty(
                cloud_watch_metrics_enabled=True, metric_name="sample", sampled_requests_enabled=True
            ),
        )
        wafv2.CfnWebACLAssociation(
            self, "FirewallOfApi", web_acl_arn=firewall.attr_arn, resource_arn=api.deployment_stage.stage_arn
        )
        cdk.CfnOutput(self, "ApiUrlOfSample", value=api.url)

    def _add_machine(self, function: lambda_.Function, revision: str) -> None:
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name="sample-machine",
            definition_body=sfn.DefinitionBody.from_chainable(
                sfn.Pass(self, "Say revision", result=sfn.Result.from_object({"revision": revision})).next(
                    tasks.SnsPublish(
                        self, "Tell", topic=self.topic, message=sfn.TaskInput.from_json_path_at("$.revision"),
                        result_path="$.published",
                    )
                )
            ),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "MachineLogs",
                    log_group_name="/aws/vendedlogs/states/sample",
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
            ),
        )  # fmt: skip
        del function
        group = scheduler.ScheduleGroup(self, "Schedules", removal_policy=cdk.RemovalPolicy.DESTROY)
        role = iam.Role(self, "SchedulerRole", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        machine.grant_start_execution(role)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            group_name=group.schedule_group_name,
            schedule_expression="rate(7 days)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine.state_machine_arn, role_arn=role.role_arn
            ),
        )
        events.Rule(
            self,
            "Rule",
            event_pattern=events.EventPattern(source=["aws.personalize"]),
            targets=[targets.SfnStateMachine(machine)],
        )
        cdk.CfnOutput(self, "MachineArn", value=machine.state_machine_arn)

    def _add_watch(self, function: lambda_.Function, dead_letters: sqs.Queue) -> None:
        alarm = dead_letters.metric_approximate_number_of_messages_visible().create_alarm(
            self, "DeadLettersSeen", threshold=1, evaluation_periods=1
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        cloudwatch.CompositeAlarm(self, "Anything", alarm_rule=cloudwatch.AlarmRule.from_alarm(
            alarm, cloudwatch.AlarmState.ALARM))  # fmt: skip
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name="sample").add_widgets(
            cloudwatch.GraphWidget(left=[function.metric_errors()])
        )
        logs.MetricFilter(
            self,
            "Errors",
            log_group=function.log_group,
            filter_pattern=logs.FilterPattern.all_terms("ERROR"),
            metric_name="errors",
            metric_namespace="Sample",
        )

    def _add_custom_resource(self, revision: str) -> None:
        provider = lambda_.Function(
            self,
            "Counter",
            runtime=lambda_.Runtime.PYTHON_3_11,
            handler="index.handler",
            code=lambda_.Code.from_inline(CUSTOM_HANDLER),
        )
        counted = cdk.CustomResource(
            self,
            "Counted",
            service_token=provider.function_arn,
            resource_type="Custom::LetterCount",
            properties={"Word": "letters" * int(revision)},
        )
        cdk.CfnOutput(self, "LetterCount", value=counted.get_att_string("Length"))


def synthesise(folder: Path, revision: str) -> None:
    app = cdk.App(outdir=str(folder / revision))
    environment = cdk.Environment(account="123456789012", region="ap-south-1")
    data_stack = DataStack(app, "sample-data", revision, env=environment)
    ServiceStack(app, "sample-service", data_stack, revision, env=environment)
    broken = cdk.Stack(app, "sample-broken", env=environment)
    sqs.Queue(broken, "First", queue_name="sample-broken-first")
    unknown = cdk.CfnResource(broken, "Second", type="AWS::Braket::Nothing", properties={})
    unknown.node.add_dependency(broken.node.find_child("First"))
    cdk.Tags.of(app).add("app", "sample")
    app.synth()


if __name__ == "__main__":
    for number in ("1", "2"):
        synthesise(Path(sys.argv[1]), number)
