{{- define "zeroshift.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "zeroshift.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "zeroshift.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "zeroshift.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "zeroshift.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "zeroshift.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ required "an image needs a tag or a digest" .tag }}
{{- end -}}
{{- end }}

{{/*
The pod of a worker: `root` is the chart's context, `component` its name, `image` which of the images, `pool` has what
control and the other pools have alike, `args` come after `worker`, `restart` is the restart policy.
*/}}
{{- define "zeroshift.pod" -}}
metadata:
  labels:
    {{- include "zeroshift.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.metrics.port }}
  {{- $scraped := dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString .) }}
  annotations:
    {{- toYaml (merge $scraped ($.annotations | default dict)) | nindent 4 }}
  {{- else }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "zeroshift.serviceAccount" .root }}
  # A worker never calls Kubernetes.
  automountServiceAccountToken: false
  restartPolicy: {{ .restart }}
  terminationGracePeriodSeconds: {{ .pool.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    seccompProfile: { type: RuntimeDefault }
  {{- with .root.Values.images.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .pool.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pool.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pool.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .spread }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "zeroshift.image" (index .root.Values.images .image) }}
      imagePullPolicy: {{ .root.Values.images.pullPolicy }}
      args:
        - worker
        {{- toYaml .args | nindent 8 }}
        - --ready-file=/tmp/ready
        {{- with .root.Values.metrics.port }}
        - --metrics-port={{ . }}
        - --metrics-host=0.0.0.0
        {{- end }}
        {{- with .root.Values.temporal.buildId }}
        - --build-id={{ . }}
        {{- end }}
      {{- with .root.Values.metrics.port }}
      ports:
        - { name: metrics, containerPort: {{ . }}, protocol: TCP }
      {{- end }}
      env:
        - { name: TEMPORAL_ADDRESS, value: {{ .root.Values.temporal.address | quote }} }
        - { name: TEMPORAL_NAMESPACE, value: {{ .root.Values.temporal.namespace | quote }} }
        {{- with .root.Values.temporal }}
        {{- if .tls.enabled }}
        - { name: ZEROSHIFT_TEMPORAL_TLS, value: '1' }
        {{- with .tls.serverName }}
        - { name: ZEROSHIFT_TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }} }
        {{- end }}
        {{- if .tls.caSecret }}
        - { name: ZEROSHIFT_TEMPORAL_TLS_CA_FILE, value: /secrets/temporal-ca/ca.crt }
        {{- end }}
        {{- if .tls.clientSecret }}
        - { name: ZEROSHIFT_TEMPORAL_TLS_CERT_FILE, value: /secrets/temporal-client/tls.crt }
        - { name: ZEROSHIFT_TEMPORAL_TLS_KEY_FILE, value: /secrets/temporal-client/tls.key }
        {{- end }}
        {{- end }}
        {{- if .apiKeySecret }}
        - { name: ZEROSHIFT_TEMPORAL_API_KEY_FILE, value: /secrets/temporal-api-key/api-key }
        {{- end }}
        {{- if .payloadKeysSecret }}
        - { name: ZEROSHIFT_PAYLOAD_KEYS_FILE, value: /secrets/payload-keys/payload-keys }
        {{- end }}
        {{- end }}
        {{- if .root.Values.signingKeySecret }}
        - { name: ZEROSHIFT_SIGNING_KEY_FILE, value: /secrets/signing-key/signing-key }
        {{- end }}
        {{- range $kind, $places := .root.Values.allowed }}
        {{- with $places }}
        - { name: ZEROSHIFT_ALLOWED_{{ upper $kind }}, value: {{ join "," . | quote }} }
        {{- end }}
        {{- end }}
        {{- if .root.Values.allowExternal }}
        - { name: ZEROSHIFT_ALLOW_EXTERNAL, value: '1' }
        {{- end }}
        - { name: AWS_REGION, value: {{ .root.Values.s3.region | quote }} }
        {{- with .root.Values.s3.endpoint }}
        - { name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }} }
        {{- end }}
        {{- with .root.Values.s3.encryption }}
        - { name: ZEROSHIFT_S3_SSE, value: {{ . | quote }} }
        {{- end }}
        {{- with .root.Values.s3.kmsKeyId }}
        - { name: ZEROSHIFT_S3_SSE_KMS_KEY_ID, value: {{ . | quote }} }
        {{- end }}
        - { name: ZEROSHIFT_LOG, value: {{ .root.Values.log | quote }} }
        - { name: ZEROSHIFT_BLOB_CACHE_GB, value: {{ .pool.cache.blobGigabytes | quote }} }
        {{- with .pool.threads }}
        - { name: TF_NUM_INTRAOP_THREADS, value: {{ . | quote }} }
        {{- end }}
        {{- with .root.Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .root.Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      resources:
        {{- toYaml .pool.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      # A worker is ready while it asks for work. There is no liveness probe: a worker that fails ends
      # its process, and a worker that computes answers no probe for as long as a step takes.
      readinessProbe:
        exec: { command: [test, -f, /tmp/ready] }
        periodSeconds: 5
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: cache, mountPath: /cache }
        {{- range $name, $_ := include "zeroshift.secrets" .root | fromYaml }}
        - { name: {{ $name }}, mountPath: /secrets/{{ $name }}, readOnly: true }
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 1Gi }
    - name: cache
      emptyDir: { sizeLimit: {{ .pool.cache.sizeLimit }} }
    {{- range $name, $secret := include "zeroshift.secrets" .root | fromYaml }}
    - name: {{ $name }}
      # The group is that of the worker.
      secret: { secretName: {{ $secret }}, defaultMode: 0440 }
    {{- end }}
{{- end }}

{{- /* Secrets that are files in a pod, below /secrets: the folder's name, and the secret's. */}}
{{- define "zeroshift.secrets" -}}
{{- with .Values.temporal -}}
{{- if and .tls.enabled .tls.caSecret }}
temporal-ca: {{ .tls.caSecret }}
{{- end }}
{{- if and .tls.enabled .tls.clientSecret }}
temporal-client: {{ .tls.clientSecret }}
{{- end }}
{{- with .apiKeySecret }}
temporal-api-key: {{ . }}
{{- end }}
{{- with .payloadKeysSecret }}
payload-keys: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.signingKeySecret }}
signing-key: {{ . }}
{{- end }}
{{- end }}
