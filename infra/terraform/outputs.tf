output "store" {
  description = "For --store."
  value       = "s3://${aws_s3_bucket.results.id}${var.prefix == "" ? "" : "/${trimsuffix(var.prefix, "/")}"}"
}

output "worker_role_arn" {
  description = "For the chart's serviceAccount.annotations, as eks.amazonaws.com/role-arn."
  value       = aws_iam_role.worker.arn
}

output "operator_policy_arn" {
  description = "To be attached to the people's own roles."
  value       = aws_iam_policy.operator.arn
}
