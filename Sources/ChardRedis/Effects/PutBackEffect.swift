// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The message that the step takes away, at the front of its queue: in another form or, where that is empty, as it is.
///
/// - Keys: the waiting list.
/// - Arguments: the form.
enum PutBackEffect {
    static let lua = """
        effects.putBack = {keys = 1, arguments = 1, write = function(taken)
            local list, form = key(), argument()
            local pushed = try('RPUSH', list, form == '' and taken.message or form)
            if refused(pushed) then return pushed end
            return nil, function() try('RPOP', list) end
        end}

        """

    static func append(_ form: [UInt8]?, from list: String, to call: inout ScriptCall) {
        call.append("putBack")
        call.append(key: list)
        call.append(form ?? [])
    }
}
