"""The smallest powertools handler: forwards one call to Personalize."""

import json

import boto3
from aws_lambda_powertools import Logger

logger = Logger()
runtime = boto3.client("personalize-runtime")


def handler(event, _context):
    """Answer what Personalize answers."""
    answer = runtime.get_recommendations(
        campaignArn="arn:aws:personalize:ap-south-1:1:campaign/up",
        userId=event["pathParameters"]["userId"],
        numResults=100,
    )
    logger.info("answered")
    return {"statusCode": 200, "body": json.dumps({"items": answer["itemList"]})}
