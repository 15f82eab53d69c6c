import JSON
import Node

/// Traces, for people.
enum TraceText {
    private static let linksShown = 20

    static func show(_ trace: JSON) -> String {
        let kept =
            trace["whole"]?.bool == true
            ? "all bytes kept"
            : "at most \(Output.number(trace["kept_most"])) bytes of a record kept"
        let origin: String
        if let began = trace["began"]?.text {
            origin = "recorded \(began)"
        } else {
            origin = "made, not recorded"
        }
        var parts = [
            "trace \(Output.text(trace["file"])): \(origin), packets of "
                + "\(Output.number(trace["packet_bytes"])) bytes, \(kept)",
            "\(Output.number(trace["records"])) records in \(Output.seconds(trace["seconds"])) s"
                + ended(trace),
        ]
        let kinds = (trace["kinds"]?.elements ?? []).map { kind in
            ["\(Output.text(kind["direction"])) \(Output.text(kind["kind"]))"]
                + ["records", "bytes", "least", "most", "kept"].map { Output.number(kind[$0]) }
        }
        if !kinds.isEmpty {
            parts.append("")
            parts.append(
                Output.table(["kind", "records", "bytes", "least", "most", "kept"], kinds)
            )
        }
        parts += links(trace) + records(trace)
        return parts.joined(separator: "\n")
    }

    private static func ended(_ trace: JSON) -> String {
        guard trace["recorded"]?.bool == true else { return "" }
        let end = TraceEnd(named: trace["end"]?.text ?? "")?.text ?? "unknown"
        return ", \(Output.number(trace["dropped"])) dropped; ended: \(end)"
    }

    private static func links(_ trace: JSON) -> [String] {
        let all = trace["links"]?.elements ?? []
        guard !all.isEmpty else { return [] }
        let isRecorded = trace["recorded"]?.bool == true
        let rows = all.prefix(linksShown).map { link in
            let number = Output.number(link["link"])
            let name =
                !isRecorded ? "link \(number)" : number == "0" ? "no session" : "key-\(number)"
            return [name, Output.number(link["in"]), Output.number(link["out"])]
        }
        let rest = all.count > linksShown ? ["and \(all.count - linksShown) more"] : []
        return ["", Output.table(["link", "in", "out"], rows)] + rest
    }

    private static func records(_ trace: JSON) -> [String] {
        let all = trace["first_records"]?.elements ?? []
        guard !all.isEmpty else { return [] }
        let rows = all.map { record in
            [
                "\(Output.text(record["direction"])) \(Output.text(record["kind"]))",
                Output.number(record["ns"]), Output.number(record["link"]),
                Output.number(record["size"]), Output.number(record["type"]),
                Output.number(record["receiver"]), Output.number(record["counter"]),
            ]
        }
        let heading = ["record", "ns", "link", "size", "type", "receiver", "counter"]
        return ["", Output.table(heading, rows)]
    }

    static func replay(_ replay: JSON) -> String {
        func counts(_ value: JSON?) -> String {
            let members = (value?.members ?? []).filter { Output.number($0.value) != "0" }
            let text = members.map { "\(Output.number($0.value)) \($0.name)" }
            return text.isEmpty ? "nothing" : text.joined(separator: ", ")
        }
        let late = replay["late_us"]
        return """
            sent: \(counts(replay["sent"])) in \(Output.seconds(replay["seconds"])) s, \
            \(Output.number(replay["frames_per_second"])) frames a second, in \
            \(Output.number(replay["datagrams"])) datagrams; \
            \(Output.number(replay["as_recorded"])) packets as recorded, the rest random bytes
            late: \(Output.number(late?["mean"])) µs on average, \
            \(Output.number(late?["max"])) µs at most
            not sent: \(Output.number(replay["without_link"])) without a link, \
            \(Output.number(replay["refused_by_kernel"])) datagrams refused by the kernel
            left out of the trace: \(counts(replay["left_out"]))
            came back: \(counts(replay["came_back"]))
            a relay refuses a packet that it has seen before (duplicate, replay, indexReplay, \
            lateIndex) or that is another relay's (ticketRecipient): a replay tests defence and \
            load, it delivers nothing twice
            """
    }
}
