variable "name" {
  description = "Name of the roles and policies. The pods of workers may use them in one cluster alone."
  type        = string
  default     = "zeroshift"
}

variable "bucket" {
  description = "Name of the bucket that is made for results."
  type        = string
}

variable "prefix" {
  description = "Prefix of all results, with a slash at its end; empty for the whole bucket. Stores are then s3://BUCKET/PREFIX."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[^/].*[^/]/$|^[^/]/$", var.prefix))
    error_message = "Expected nothing, or a path that ends with a slash and does not begin with one, such as lab/."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of the identity provider of the cluster where workers run (EKS: IAM roles for service accounts)."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:iam::[0-9]{12}:oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "Expected an ARN such as arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the workers."
  type        = string
  default     = "zeroshift"
}

variable "service_account" {
  description = "Service account of the workers: the release's name, unless the chart's serviceAccount.name says otherwise."
  type        = string
  default     = "zeroshift"
}

variable "read_only_buckets" {
  description = "ARNs of buckets with data sets and checkpoints that experiments name as s3://…; workers may read them."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "KMS key that encrypts results; the bucket's own encryption (SSE-S3) if null."
  type        = string
  default     = null
}

variable "noncurrent_days" {
  description = "Days for which deleted or overwritten objects can be restored. 0 keeps no old versions."
  type        = number
  default     = 7
}

variable "tiering_days" {
  description = "Age in days from which blobs move to cheaper storage until they are read (Intelligent-Tiering); never if null."
  type        = number
  default     = null
}
