/// As much of DNS as the demo needs: questions for addresses, and answers to them.
enum DNS {
    /// A query for the address (A) of a name.
    static func query(id: UInt16, name: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 255), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.split(separator: ".") {
            bytes.append(UInt8(label.utf8.count))
            bytes += Array(label.utf8)
        }
        return bytes + [0, 0, 1, 0, 1]
    }

    /// The id and the address of an answer without error; nil for anything else.
    static func answer(_ bytes: [UInt8]) -> (id: UInt16, address: [UInt8])? {
        guard bytes.count >= 12, bytes[2] & 0x80 != 0, bytes[3] & 15 == 0,
            bytes[6] == 0, bytes[7] >= 1
        else { return nil }
        var position = 12
        while position < bytes.count, bytes[position] != 0 { position += Int(bytes[position]) + 1 }
        // End of the name, type and class; then the answer: a pointer to the name, type, class,
        // time to live, length, address.
        position += 5
        guard position + 16 <= bytes.count, bytes[position] & 0xc0 == 0xc0,
            bytes[position + 3] == 1, bytes[position + 11] == 4
        else { return nil }
        let id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        return (id, Array(bytes[(position + 12)..<(position + 16)]))
    }
}
