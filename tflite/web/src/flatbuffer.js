/** As much of FlatBuffers as reading a table takes. Reads beyond the end throw a RangeError. */

export class Table {
  constructor(view, position) {
    this.view = view;
    this.position = position;
    this.fields = position - view.getInt32(position, true);
  }

  static root(view) {
    return new Table(view, view.getUint32(0, true));
  }

  /** Position of a field's value, or 0 where the table has none. */
  at(field) {
    const slot = 4 + 2 * field;
    if (slot >= this.view.getUint16(this.fields, true)) return 0;
    const offset = this.view.getUint16(this.fields + slot, true);
    return offset && this.position + offset;
  }

  uint8(field) {
    const position = this.at(field);
    return position ? this.view.getUint8(position) : 0;
  }

  uint32(field) {
    const position = this.at(field);
    return position ? this.view.getUint32(position, true) : 0;
  }

  uint64(field) {
    const position = this.at(field);
    return position ? Number(this.view.getBigUint64(position, true)) : 0;
  }

  /** The bytes of a vector of bytes, or of a string. */
  bytes(field) {
    const { start, length } = this.vector(field);
    if (start + length > this.view.byteLength) throw new RangeError("a vector beyond the end");
    return new Uint8Array(this.view.buffer, this.view.byteOffset + start, length);
  }

  string(field) {
    return new TextDecoder().decode(this.bytes(field));
  }

  tables(field) {
    const { start, length } = this.vector(field);
    if (start + 4 * length > this.view.byteLength) throw new RangeError("a vector beyond the end");
    return Array.from({ length }, (_, index) => {
      const position = start + 4 * index;
      return new Table(this.view, position + this.view.getUint32(position, true));
    });
  }

  vector(field) {
    const position = this.at(field);
    if (!position) return { start: 0, length: 0 };
    const start = position + this.view.getUint32(position, true);
    return { start: start + 4, length: this.view.getUint32(start, true) };
  }
}
