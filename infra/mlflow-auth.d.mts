/**
 * Returns a directory for PYTHONPATH with the packages that MLflow's authentication needs in
 * addition to MLflow. Rejects with a SetupError.
 */
export function ensureMlflowAuth(): Promise<string>
