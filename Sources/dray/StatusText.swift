import JSON

/// Answers of a running node, for people.
enum StatusText {
    static func text(_ status: JSON) -> String {
        let packets = status["packets"]?.members ?? []
        let drops = (status["drops"]?.members ?? []).sorted { $0.name < $1.name }
        let sections = [
            "node \(Output.text(status["address"])), key id \(Output.number(status["key_id"])), "
                + "up \(Output.number(status["uptime_s"])) s, \(Output.text(status["version"]))",
            "packets:\n" + columns(packets.map { ($0.name, Output.number($0.value)) }),
            drops.isEmpty
                ? "no packet was dropped"
                : "dropped:\n" + columns(drops.map { ($0.name, Output.number($0.value)) }),
            "links:\n" + columns(members(status["links"])),
            "datapath:\n"
                + (status["datapath"]?.elements ?? []).map { "  " + Output.text($0["features"]) }
                .joined(separator: "\n"),
            "replay set: \(Output.number(status["replay"]?["used"])) of "
                + "\(Output.number(status["replay"]?["capacity"])) tags",
            "tables: \(tables(status, "issuers")); \(tables(status, "neighbours"))",
            trace(status), upgrades(status),
            "memory: \(Output.number(status["memory"]?["allocated"])) bytes allocated",
        ]
        return sections.joined(separator: "\n\n")
    }

    private static func members(_ document: JSON?) -> [(String, String)] {
        (document?.members ?? []).map { ($0.name, Output.number($0.value)) }
    }

    private static func trace(_ status: JSON) -> String {
        let trace = status["trace"]
        let isRecording = trace?["recording"]?.bool == true
        let state =
            isRecording ? "recording, \(Output.number(trace?["records"])) records" : "not recording"
        return "trace: \(state); \(Output.number(trace?["dropped"])) records dropped so far"
    }

    private static func upgrades(_ status: JSON) -> String {
        let upgrades = status["upgrades"]
        let pause = (upgrades?["pause_us"]?.integer ?? 0) / 1_000
        let failure = upgrades?["failure"]?.text.map { "; the last one failed: \($0)" } ?? ""
        let done = upgrades?["done"]?.integer ?? 0
        return "upgrades: \(done)" + (done > 0 ? ", the last pause \(pause) ms" : "") + failure
    }

    private static func tables(_ status: JSON, _ kind: String) -> String {
        let values = status["tables"]?[kind]
        return
            "\(Output.number(values?["used"])) of \(Output.number(values?["capacity"])) \(kind), "
            + "\(Output.number(values?["hits"])) hits, \(Output.number(values?["misses"])) misses"
    }

    static func channels(_ document: JSON) -> String {
        let rows = (document["channels"]?.elements ?? []).map { channel in
            [
                "\(Output.text(channel["direction"])) \(Output.text(channel["peer"]))",
                Output.text(channel["status"]), Output.number(channel["balance"]),
                Output.number(channel["epoch"]), Output.number(channel["index"]),
            ]
        }
        return rows.isEmpty
            ? "no channels"
            : Output.table(["channel", "status", "balance", "epoch", "index"], rows)
    }

    static func tickets(_ document: JSON) -> String {
        let names = ["received", "won", "lost", "void", "redeemed", "pending"]
        let rows = (document["channels"]?.elements ?? []).map { channel in
            [Output.text(channel["peer"])] + names.map { Output.number(channel[$0]) }
                + [Output.number(channel["earned"])]
        }
        return rows.isEmpty
            ? "no tickets" : Output.table(["from"] + names + ["earned"], rows)
    }

    static func done(_ document: JSON) -> String {
        let members = document.members ?? []
        return members.isEmpty
            ? "done"
            : members.map { "\($0.name): \(Output.number($0.value))" }.joined(separator: ", ")
    }
}
