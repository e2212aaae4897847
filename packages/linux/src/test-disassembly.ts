/** The machine code of one function: instructions of x64 as V8 prints them, without addresses. */
export interface Code {
  /** A JavaScript function's name, or the index of a WebAssembly function. */
  readonly name: string;
  readonly instructions: readonly string[];
}

/** Finds the code of functions in what --print-opt-code, --print-maglev-code and --print-wasm-code print. */
export function codesIn(printed: string): Code[] {
  const codes: Code[] = [];
  let instructions: string[] | undefined;
  for (const line of printed.split('\n')) {
    const name = /^(?:name = |index: )(\S+)$/.exec(line)?.[1];
    if (name !== undefined) {
      instructions = [];
      codes.push({ name, instructions });
    } else if (/^(Safepoints|Source positions|RelocInfo|Inlined|Deopt|--- End)/.test(line)) instructions = undefined;
    const instruction = /^0x[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +(.+)/.exec(line)?.[1];
    if (instruction !== undefined) instructions?.push(instruction.replace(/ +;;.*/, ''));
  }
  return codes;
}

/**
 * Loads from and stores to base plus index: in WebAssembly the memory, in JavaScript what a typed array holds.
 * `load 16`, `store 32`, or the instruction itself where it is none of those that an exact access may be.
 */
export function memoryOperations({ instructions }: Code): string[] {
  return instructions
    .filter((text) => /\[r\w+\+r\w+\*\d(\+0x[0-9a-f]+)?\]/.test(text) && !/^(REX\.W )?lea|^call/.test(text))
    .map(named);
}

const LOADS: readonly [RegExp, string][] = [
  [/^movzxbl r\w+,\[/, 'load 8'],
  [/^movzxwl r\w+,\[/, 'load 16'],
  [/^movl r\w+,\[/, 'load 32'],
  [/^REX\.W movq r\w+,\[/, 'load 64'],
  [/^movb \[.*\],/, 'store 8'],
  [/^movw \[.*\],/, 'store 16'],
  [/^movl \[.*\],/, 'store 32'],
  [/^REX\.W movq \[.*\],/, 'store 64'],
];

function named(instruction: string): string {
  return LOADS.find(([pattern]) => pattern.test(instruction))?.[1] ?? instruction;
}
