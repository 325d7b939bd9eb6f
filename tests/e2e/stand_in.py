#!/usr/bin/env python3
"""A function that stores what it is given, for the emulator's own tests: fails whenever an event tells it to."""

import json
import os
import sys
from urllib.request import Request, urlopen

import boto3

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def handle(event):
    table = boto3.client("dynamodb")
    events = [json.loads(message["body"]) for message in event["Records"]] if "Records" in event else [event]
    for one in events:
        if one["detail"].get("poison"):
            raise ValueError("poison")
        key = one["detail"].get("eventID", one["detail-type"])
        table.put_item(TableName=os.environ["TABLE"], Item={
            "pk": {"S": key}, "batch": {"N": str(len(events))},
            "account": {"S": one["account"]}, "region": {"S": one["region"]},
        })
    return {}


while True:
    with urlopen(f"{RUNTIME}/next") as given:
        request, event = given.headers["Lambda-Runtime-Aws-Request-Id"], json.load(given)
    try:
        answer, kind = handle(event), "response"
    except Exception as error:
        print(error, file=sys.stderr, flush=True)
        answer, kind = {"errorType": type(error).__name__, "errorMessage": str(error)}, "error"
    urlopen(Request(f"{RUNTIME}/{request}/{kind}", json.dumps(answer).encode(), method="POST")).close()
