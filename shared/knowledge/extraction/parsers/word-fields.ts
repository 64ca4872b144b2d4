/** Reads what is chosen in the fields of a form: Word shows it, and has it nowhere as text. */
export function formFields(): {
  open(tag: string, value: string | undefined): void;
  /** What the field shows that ends here. */
  close(tag: string): string;
} {
  let field: 'ddList' | 'checkBox' | undefined;
  let entries: string[] = [];
  let chosen: string | undefined;
  let usual: string | undefined;

  return {
    open(tag, value) {
      if (tag === 'ddList' || tag === 'checkBox') {
        field = tag;
        entries = [];
        chosen = undefined;
        usual = undefined;
      } else if (!field) return;
      else if (tag === 'listEntry') entries.push(value ?? '');
      else if (tag === 'result' || tag === 'checked') chosen = value ?? '1';
      else if (tag === 'default') usual = value ?? '1';
    },
    close(tag) {
      if (!field || tag !== field) return '';
      field = undefined;
      const state = chosen ?? usual ?? '0';
      if (tag === 'ddList') return entries[Number(state)] ?? '';
      return /^(0|false|off)$/.test(state) ? '☐' : '☒';
    },
  };
}
