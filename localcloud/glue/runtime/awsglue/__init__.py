"""The part of AWS Glue's `awsglue` package that job scripts need where there is no Glue."""
