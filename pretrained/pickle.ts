/** Whether the name of a file is one under which PyTorch writes pickles. */
export function isPickle(name: string): boolean {
  return /\.(bin|pth?|ckpt|pkl|pickle)$/.test(name)
}

/**
 * The end of a message about a pickle: why it is not read, and the two lines of Python that convert
 * a file of named tensors. A message has one line, so that they are in backticks.
 */
export function pickleAdvice(name: string): string {
  const converted = name.startsWith('adapter_model') ? 'adapter_model.safetensors' : 'model.safetensors'
  return (
    `${name} is a pickle, which can run code when it is read and is never read here; if you trust it, convert it in Python: ` +
    '`import torch, safetensors.torch` and then ' +
    `\`safetensors.torch.save_file({k: v.contiguous().clone() for k, v in torch.load("${name}", map_location="cpu", weights_only=True).items()}, "${converted}")\``
  )
}
