/** Whether the name of a file is one under which PyTorch writes pickles. */
export function isPickle(name: string): boolean {
  return /\.(bin|pth?|ckpt|pkl|pickle)$/.test(name)
}

/** The end of a message about a pickle: why it is not read, and the Python that converts it. */
export function pickleAdvice(name: string): string {
  return (
    `${name} is a pickle, which can run code when it is read and is never read here. Where you trust it, convert it in Python:\n` +
    '  import torch; from safetensors.torch import save_file\n' +
    `  save_file({k: v.contiguous().clone() for k, v in torch.load("${name}", map_location="cpu", weights_only=True).items()}, "${convertedName(name)}")`
  )
}

/** The name that readers here expect of the converted file. */
function convertedName(name: string): string {
  return name.startsWith('adapter_model') ? 'adapter_model.safetensors' : 'model.safetensors'
}
