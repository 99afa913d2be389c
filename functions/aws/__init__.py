"""Amazon Web Services: EventBridge, Lambda, DynamoDB, SageMaker, SQS."""
