// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The one stylesheet, light and dark, from the width of a phone on.
enum Style {
    static let text = """
        :root {
          color-scheme: light dark;
          --ink: #1b1d1f; --quiet: #63676c; --page: #f6f6f3; --card: #fff; --line: #dcdcd6; --accent: #8a1c4a;
          --good: #2f7d4f; --bad: #b3261e; --warn: #8a6100; --soft: #efeee9;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ink: #e8e8e4; --quiet: #a0a4a8; --page: #16181a; --card: #1f2225; --line: #34383c; --accent: #f09abd;
            --good: #6fce95; --bad: #ff8a80; --warn: #f0c674; --soft: #282c30;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        a { color: var(--accent); }
        a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible, summary:focus-visible {
          outline: 2px solid var(--accent); outline-offset: 2px;
        }
        .skip { position: absolute; left: -999px; }
        .skip:focus { left: 8px; top: 8px; background: var(--card); padding: 4px 8px; z-index: 1; }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; padding: 10px 24px; background: var(--card);
          border-bottom: 1px solid var(--line); }
        header .brand { font-weight: 700; color: var(--ink); text-decoration: none; }
        header nav { flex: 1; min-width: 0; }
        header ul { display: flex; flex-wrap: wrap; gap: 2px 4px; margin: 0; padding: 0; list-style: none; }
        header li a { display: block; padding: 4px 9px; border-radius: 6px; color: var(--ink); text-decoration: none; }
        header li a:hover { background: var(--soft); }
        header li a[aria-current] { background: var(--accent); color: var(--card); }
        main { max-width: 1240px; margin: 0 auto; padding: 12px 24px 40px; }
        footer { max-width: 1240px; margin: 0 auto; padding: 0 24px 24px; color: var(--quiet); font-size: 13px; overflow-wrap: anywhere; }
        h1 { font-size: 22px; margin: 10px 0 14px; overflow-wrap: anywhere; }
        h2 { font-size: 16px; margin: 26px 0 8px; }
        .notice, #banner { width: calc(100% - 48px); max-width: 1192px; margin: 12px auto 0; padding: 8px 14px; border-radius: 8px; background: var(--soft);
          border-left: 4px solid var(--good); }
        #banner { border-left-color: var(--bad); }
        p.alarm, p.warning, p.fine { padding: 8px 14px; margin: 0 0 8px; border-radius: 8px; background: var(--card);
          border: 1px solid var(--line); border-left: 4px solid var(--bad); white-space: pre-line; }
        p.warning { border-left-color: var(--warn); }
        p.fine { border-left-color: var(--good); color: var(--quiet); }
        p.alarm a, p.warning a { color: inherit; text-decoration: none; }
        p.alarm a:hover, p.warning a:hover { text-decoration: underline; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin: 14px 0;
          padding: 0; list-style: none; }
        .cards li, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
        .cards b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
        .cards b.id { font-size: 15px; line-height: 33px; overflow-wrap: anywhere; }
        .cards .bad b { color: var(--bad); }
        .cards .wide { grid-column: span 2; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 14px; margin: 14px 0; }
        .pair h2 { margin: 4px 0 2px; }
        .legend { margin: 0 0 8px; font-size: 13px; }
        .key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 3px; background: var(--good); }
        .key.bad { background: var(--bad); }
        .sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(240px, 100%), 1fr)); gap: 12px 16px; align-items: end; }
        .sheet input, .sheet select { width: 100%; }
        .sheet .actions { margin: 0; }
        .cards a { text-decoration: none; color: inherit; }
        .card + .scroll, .card + p { margin-top: 12px; }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
        table { border-collapse: collapse; width: 100%; }
        th, td { padding: 7px 12px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
        tr:last-child > td { border-bottom: 0; }
        th { color: var(--quiet); font-weight: 600; font-size: 13px; white-space: nowrap; }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        td .id { white-space: nowrap; }
        td time, td .button { white-space: nowrap; }
        td.text { overflow-wrap: anywhere; min-width: 200px; }
        th.group { text-align: center; }
        .error { color: var(--bad); overflow-wrap: anywhere; }
        progress { width: 90px; height: 8px; accent-color: var(--accent); vertical-align: middle; }
        progress.wide { width: 100%; height: 12px; }
        .d1 { padding-left: 34px; } .d2 { padding-left: 56px; } .d3 { padding-left: 78px; } .d4 { padding-left: 100px; }
        .d5 { padding-left: 122px; } .d6 { padding-left: 144px; } .d7 { padding-left: 166px; } .d8 { padding-left: 188px; }
        .quiet, td.none { color: var(--quiet); }
        .id, code, pre { font-family: ui-monospace, monospace; font-size: 13px; }
        pre { background: var(--soft); border-radius: 8px; padding: 10px 14px; overflow: auto; max-height: 420px; white-space: pre-wrap;
          overflow-wrap: anywhere; margin: 6px 0; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; }
        .state { display: inline-block; padding: 0 8px; border-radius: 999px; background: var(--soft); font-size: 13px; white-space: nowrap; }
        .state.success, .state.SUCCESS, .state.succeeded, .state.active, .state.fine { color: var(--good); }
        .state.failure, .state.FAILURE, .state.failed, .state.dead, .state.LOST, .state.lost, .state.danger { color: var(--bad);
          font-weight: 600; }
        .state.retry, .state.RETRY, .state.paused, .state.revoked, .state.REVOKED, .state.late, .state.warning, .state.cancelled {
          color: var(--warn); }
        form.inline { display: inline; }
        .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 12px 0; align-items: center; }
        form.filter { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; margin: 0 0 14px; }
        label { display: block; color: var(--quiet); font-size: 13px; }
        input, select, textarea, button, .button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line);
          border-radius: 6px; padding: 5px 10px; max-width: 100%; }
        textarea { width: 100%; font-family: ui-monospace, monospace; font-size: 13px; }
        input[type=checkbox] { width: 18px; height: 18px; padding: 0; }
        button, .button { cursor: pointer; text-decoration: none; display: inline-block; }
        button:hover, .button:hover { border-color: var(--accent); }
        button.main { background: var(--accent); border-color: var(--accent); color: var(--card); }
        button.danger { color: var(--bad); border-color: var(--bad); }
        .pager { display: flex; gap: 16px; justify-content: center; padding: 10px; color: var(--quiet); }
        svg.bars { width: 100%; height: 120px; display: block; border-bottom: 1px solid var(--line); }
        svg.spark { width: 120px; height: 28px; }
        li svg.spark { display: block; width: 100%; }
        svg.graph { display: block; font-size: 12px; }
        svg.graph rect { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
        svg.graph text { fill: var(--ink); } svg.graph .quiet text { fill: var(--quiet); }
        svg.graph path { fill: none; stroke: var(--line); stroke-width: 1.5; } svg.graph circle { fill: var(--line); }
        svg.graph .succeeded rect { stroke: var(--good); } svg.graph .failed rect { stroke: var(--bad); fill: var(--soft); }
        svg.graph .running rect { stroke: var(--accent); stroke-dasharray: 4 3; } svg.graph .cancelled rect { stroke-dasharray: 1 4; }
        svg.graph a:hover rect { stroke-width: 3; }
        svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .space { fill: transparent; }
        svg g:hover .space { fill: var(--soft); }
        svg polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
        .axis { display: flex; justify-content: space-between; color: var(--quiet); font-size: 12px; }
        meter { width: 100%; min-width: 80px; }
        ul.tree { list-style: none; padding-left: 18px; border-left: 1px solid var(--line); margin: 4px 0; }
        @media (max-width: 640px) {
          header, main, footer { padding-left: 12px; padding-right: 12px; }
          .notice, #banner { width: calc(100% - 24px); }
          header { padding-top: 6px; padding-bottom: 6px; }
          header .brand { flex: 1; }
          header nav { order: 1; flex-basis: 100%; overflow-x: auto; scrollbar-width: none; }
          header ul { flex-wrap: nowrap; }
          dl { grid-template-columns: 1fr; gap: 0; }
          dd { margin-bottom: 6px; }
          th, td { padding: 6px 8px; }
        }

        """
}
