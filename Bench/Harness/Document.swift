public import JSON

/// The recorded form of a run.
public struct Document {
    /// Where it ran.
    public let machine: Machine
    /// Name of the kernel table in use.
    public let table: String
    /// What was measured; the first is U.
    public let results: [Measurement]

    /// A document.
    public init(machine: Machine, table: String, results: [Measurement]) {
        self.machine = machine
        self.table = table
        self.results = results
    }

    /// The document as one JSON value.
    public var json: JSON {
        [
            "machine": [
                "cpu": .string(machine.cpu), "cores": .integer(machine.cores),
                "kernel": .string(machine.kernel), "compiler": .string(machine.compiler),
                "flags": .string(machine.flags),
            ],
            "commit": .string(machine.commit),
            "table": .string(table),
            "u_ns": .double(rounded(results.first?.median ?? 0, 1)),
            "results": .array(results.map(row)),
        ]
    }

    private func row(_ result: Measurement) -> JSON {
        [
            "name": .string(result.name), "unit": .string(result.unit),
            "median": figure(result.median), "min": figure(result.minimum),
            "p99": figure(result.p99),
            "ratio_to_u": result.ratioToU.map { .double(rounded($0, 5)) } ?? .null,
            "batch": .integer(result.batch), "runs": .integer(result.values.count),
        ]
    }

    /// Shares and ratios are small; their decimals matter.
    private func figure(_ value: Double) -> JSON { .double(rounded(value, value < 10 ? 4 : 1)) }

    /// A table for people.
    public var text: String {
        var lines = [
            "\(machine.cpu), \(machine.cores) cores, Linux \(machine.kernel)",
            "\(machine.compiler), \(machine.flags)",
            "commit \(machine.commit), kernels: \(table); U = one libsodium X25519 in the same run",
            columns("name", "batch", "median", "min", "p99", "unit", "/ U"),
        ]
        for result in results {
            lines.append(
                columns(
                    result.name,
                    "\(result.batch)",
                    number(result.median),
                    number(result.minimum),
                    number(result.p99),
                    result.unit,
                    result.ratioToU.map { "\(rounded($0, 4))" } ?? "-"
                )
            )
        }
        let checksum = results.reduce(UInt64(0)) { $0 &* 31 &+ $1.checksum }
        lines.append("checksum of the work \(String(checksum, radix: 16))")
        return lines.joined(separator: "\n")
    }

    private func number(_ value: Double) -> String {
        value < 100 ? "\(rounded(value, 2))" : "\(Int(value.rounded()))"
    }

    private func columns(
        _ name: String,
        _ batch: String,
        _ median: String,
        _ minimum: String,
        _ p99: String,
        _ unit: String,
        _ ratio: String
    ) -> String {
        pad(name, 30, left: true) + pad(batch, 6) + pad(median, 12) + pad(minimum, 12)
            + pad(p99, 12) + " " + pad(unit, 6, left: true) + pad(ratio, 10)
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let fill = String(repeating: " ", count: max(0, width - text.count))
        return left ? text + fill : fill + text
    }
}

/// How a run compares with an earlier one.
public struct Comparison {
    /// One line for each result both have.
    public let lines: [String]
    /// Names whose ratio to U grew by more than a tenth.
    public let worse: [String]

    /// Compares ratios to U (values where there is none).
    public init(_ now: Document, against earlier: JSON) {
        var lines: [String] = []
        var worse: [String] = []
        let old = earlier["results"]?.elements ?? []
        for result in now.results.dropFirst() {
            guard let row = old.first(where: { $0["name"]?.text == result.name }) else { continue }
            let was = result.ratioToU == nil ? row["median"]?.double : row["ratio_to_u"]?.double
            guard let was, was > 0 else { continue }
            let ratio = (result.ratioToU ?? result.median) / was
            lines.append("\(result.name): \(rounded(ratio, 3)) times what it was")
            if (result.growsWhenBetter ? 1 / max(ratio, 1e-9) : ratio) > 1.1 {
                worse.append(result.name)
            }
        }
        self.lines = lines
        self.worse = worse
    }
}

/// `value` with so many decimals.
public func rounded(_ value: Double, _ decimals: Int) -> Double {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    return (value * scale).rounded() / scale
}
