import Bytes
import JSON

/// Amounts, addresses and counts as people read them.
enum Output {
    /// A number from a document, or a dash.
    static func number(_ value: JSON?) -> String {
        switch value {
        case .number(let text): text
        case .string(let text): text
        case .null, .bool, .array, .object, nil: "-"
        }
    }

    /// A string from a document, or a dash.
    static func text(_ value: JSON?) -> String { value?.text ?? "-" }

    /// Seconds with a decimal, or a dash.
    static func seconds(_ value: JSON?) -> String {
        guard case .number(let text) = value, let number = Double(text) else { return "-" }
        let tenths = Int(min(number * 10, 1e15).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Rows under a heading, columns aligned: the first to the left, the others to the right.
    static func table(_ heading: [String], _ rows: [[String]]) -> String {
        let all = [heading] + rows
        let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.indices.map { column in
                let pad = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + pad : pad + row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The first and last digits of an address.
    static func short(_ address: String) -> String {
        address.count > 14 ? "\(address.prefix(8))…\(address.suffix(4))" : address
    }
}
