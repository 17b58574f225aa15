/** A directory for PYTHONPATH with what MLflow's own authentication needs beside MLflow. Rejects with a SetupError. */
export function ensureMlflowAuth(): Promise<string>
