# The store of results: a bucket that only its own roles use, and the roles.

locals {
  objects = "${aws_s3_bucket.results.arn}/${var.prefix}"
  issuer  = replace(var.oidc_provider_arn, "/^arn:[^:]+:iam::[0-9]{12}:oidc-provider\\//", "")
}

resource "aws_s3_bucket" "results" {
  bucket = var.bucket

  lifecycle {
    # Terraform must not delete results.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "results" {
  bucket                  = aws_s3_bucket.results.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "results" {
  bucket = aws_s3_bucket.results.id

  versioning_configuration {
    status = var.noncurrent_days > 0 ? "Enabled" : "Suspended"
  }
}

# Nothing expires by age: a run of today may use a stage of last year. `zeroshift gc` finds what no
# run needs.
resource "aws_s3_bucket_lifecycle_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    id     = "broken-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = var.noncurrent_days > 0 ? [var.noncurrent_days] : []

    content {
      id     = "old-versions"
      status = "Enabled"
      filter {}

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  dynamic "rule" {
    for_each = var.tiering_days == null ? [] : [var.tiering_days]

    content {
      id     = "tiering"
      status = "Enabled"

      filter {
        prefix = "${var.prefix}blobs/"
      }

      transition {
        days          = rule.value
        storage_class = "INTELLIGENT_TIERING"
      }
    }
  }

  # The service refuses rules for old versions before there are any.
  depends_on = [aws_s3_bucket_versioning.results]
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "EncryptedConnectionsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.results.arn, "${aws_s3_bucket.results.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "results" {
  bucket = aws_s3_bucket.results.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.results]
}

# Workers may read and write the objects of the store. They may delete leftovers of stages
# (checkpoints, leases, damaged blobs) and notes of deliveries to MLflow, but no run, sweep or
# report.
data "aws_iam_policy_document" "worker" {
  # Listing is allowed for the whole bucket. If it were allowed below a prefix alone, S3 would
  # answer 403 for a missing object.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.results.arn]
  }

  statement {
    sid       = "ReadAndWrite"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${local.objects}*"]
  }

  statement {
    sid     = "DeleteLeftovers"
    actions = ["s3:DeleteObject"]
    resources = [
      "${local.objects}stages/*",
      "${local.objects}blobs/*",
      "${local.objects}runs/*/tracking/*",
      "${local.objects}sweeps/*/tracking/*",
    ]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "Encrypt"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = length(var.read_only_buckets) > 0 ? [var.read_only_buckets] : []

    content {
      sid       = "ReadData"
      actions   = ["s3:GetObject", "s3:ListBucket"]
      resources = flatten([for arn in statement.value : [arn, "${arn}/*"]])
    }
  }
}

resource "aws_iam_policy" "worker" {
  name        = "${var.name}-worker"
  description = "What Zeroshift's workers do to the store of results."
  policy      = data.aws_iam_policy_document.worker.json
}

# Only the service account of the workers becomes the role, and only with a token for that purpose.
data "aws_iam_policy_document" "assume_worker" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "worker" {
  name               = "${var.name}-worker"
  description        = "Zeroshift's workers in Kubernetes."
  assume_role_policy = data.aws_iam_policy_document.assume_worker.json
}

resource "aws_iam_role_policy_attachment" "worker" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.worker.arn
}

# People who start runs and clean up (`zeroshift gc --delete`) have the rights of workers, and may
# delete the objects of the store.
data "aws_iam_policy_document" "operator" {
  source_policy_documents = [data.aws_iam_policy_document.worker.json]

  statement {
    sid       = "CleanUp"
    actions   = ["s3:DeleteObject"]
    resources = ["${local.objects}*"]
  }
}

resource "aws_iam_policy" "operator" {
  name        = "${var.name}-operator"
  description = "What people with Zeroshift do to the store of results."
  policy      = data.aws_iam_policy_document.operator.json
}
