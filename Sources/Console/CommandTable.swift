/// Every command, in the order that `restante help` shows them.
enum CommandTable {
  /// `help` comes last.
  static let all: [Command] = Array(own.dropLast()) + storage + [own[own.count - 1]]

  private static let own: [Command] = [
    Command(
      .serve, "serve", "", "run in the foreground, as systemd does it",
      details: """
        Receives and hands out mail until it is told to stop (SIGTERM, Ctrl-C); then
        lets transfers that are under way finish. SIGHUP reads the accounts, aliases
        and configuration again. Events go to standard error, one line each.

        Refuses to start on a wrong configuration: `restante check` names every
        problem. A spool is served by one daemon; a second one is refused.
        """),
    Command(
      .demo, "demo", "", options: [.once], "try it: a throw-away office, no root needed",
      details: """
        Starts a server on free ports of this machine, in a new directory that is
        removed at the end, with one account. Sends it a message by SMTP, fetches it
        by POP3, shows both dialogues and the settings for a mail program, and serves
        until Ctrl-C.

          --once  end after the dialogues
        """),
    Command(
      .console, "console", "", options: [.device], "the technician's menu, for a serial line",
      details: """
        Shows how the device is, and a menu of all that a technician does; each entry is
        one of the other commands. Made for a VT100 of 80 columns. As root it asks for
        the PIN that was set at the first boot, and locks after five idle minutes. A
        hang-up ends the session, and not what was begun.

          --device TTY  a terminal such as ttyS0, again and again; otherwise standard
                        input, once
        """),
    Command(
      .setup, "setup", "", options: [.hostName, .domain, .done], "name the device and its mail domains",
      details: """
        Writes restante.conf.d/10-device.conf beside the configuration file, and has the
        running server take it. Shows the names that hold then.

          --host-name NAME  the device, as the MX record has it: mail.office.example
          --domain DOMAINS  whose mail is taken: "office.example old.example"
          --done            the console need not begin with the first boot's questions
        """),
    Command(
      .pin, "pin", "console|shell", least: 1, most: 1, options: [.passwordStdin, .remove],
      "set the PIN of the console or of its shell",
      details: """
        Asks for it twice. Without a PIN the console is open to whoever finds its cable,
        and the shell is closed.

          --password-stdin  take the first line of standard input as the PIN
          --remove          there shall be none
        """),
    Command(
      .status, "status", "", options: [.json, .brief, .seen], "how the server and its spool are",
      details: """
        Asks the running server; when none runs, looks at the files.

          --json   one JSON object, for programs: keys stay, new ones may come
          --brief  some lines, and always 0
          --seen   damage of the card is shown now, and not again

        Ends with 0 when the server runs and is well, 69 when it does not run, 75 when
        it runs and something needs looking after, such as the disk.
        """),
    Command(
      .selfTest, "self-test", "", options: [.json], "whether the device does what it is for, line by line",
      details: """
        Sends a message by SMTP to itself and fetches it by POP3 over TLS, in a maildrop
        that no list shows; reads the spool; looks at disk, clock, certificate and
        watchdog.
        Lines begin with ok, FAIL, or -- for what cannot be known on this machine.

          --json  an array of what, ok and text, for programs

        Ends with 0 when nothing failed, otherwise 75.
        """),
    Command(
      .connections, "connections", "", options: [.json], "who is connected now",
      details: """
        One line each: service, address, TLS, account, for how long.

          --json  one JSON array, for programs
        """),
    Command(
      .refusals, "refusals", "", options: [.json], "whom the server turned away lately, and why",
      details: """
        The last ten recipients, messages, logins and connections that were refused, in
        the journal's words. The same one again is counted. A new start forgets them.

          --json  one JSON array, for programs
        """),
    Command(
      .journal, "journal", "[ACCOUNT|ADDRESS]", most: 1, options: [.follow, .lines, .export],
      "what happened, also to one account or address",
      details: """
        ADDRESS is one of the network, or of mail.

          --follow        go on with what happens, until Ctrl-C
          --lines NUMBER  so many, otherwise 40
          --export FILE   all of it, or so many lines, into a new file, or stick:NAME
        """),
    Command(
      .network, "network", "[show|dhcp|static|confirm|revert|ping HOST|...]", most: 2,
      options: [.interface, .address, .gateway, .dns], "the device's addresses, and what it reaches",
      details: """
        show           addresses, gateway, DNS servers
        dhcp, static   change the settings, as a trial
        confirm        keep them; otherwise the old ones come back after two minutes,
                       or at the next start
        revert         have the old ones back now
        ping HOST      whether a host answers
        lookup NAME    the addresses of a name
        port25 [HOST]  whether port 25 answers on our own addresses, and on a host

          --interface NAME          which is changed, where there are several
          --address ADDRESS/LENGTH  192.0.2.10/24, 2001:db8::10/64; may come twice
          --gateway ADDRESS         the router, likewise
          --dns ADDRESS             a name server, likewise
        """),
    Command(
      .clock, "clock", "[show|set TIME]", most: 2, "what time it is, and where that is from",
      details: """
        TIME is local: "2026-05-31 18:00"; with a Z at its end, UTC. A clock that is set
        by the network soon has that time again.
        """),
    Command(
      .restart, "restart", "", "restart the device, in order",
      details: """
        Finishes what is under way and flushes, then restarts the whole machine.
        """),
    Command(
      .powerOff, "poweroff", "", "switch the device off, and say when the plug may be pulled",
      details: """
        Finishes what is under way and flushes, says so, then switches the machine off.
        """),
    Command(
      .bans, "bans", "[lift ADDRESS]", most: 2, "who is sent away for guessing passwords",
      details: """
        Lists the addresses from which too many wrong passwords came, and how long no
        password is taken from there. Mail is. Bans end by themselves, and with the
        server.

          lift ADDRESS  end the ban of an address now
        """),
    Command(
      .check, "check", "", options: [.repair], "look for what is wrong in configuration and spool",
      details: """
        Reads the configuration, accounts and aliases and names every problem with file
        and line; reads every message in the spool and compares its checksum; looks at
        owners and permissions. Changes nothing, and may run beside the server.

          --repair  stop the server first: cuts what a power cut left half written,
                    sets unreadable parts of the log aside (spool/damaged), and makes
                    the indexes again from the log. Readable mail is never removed.

        Ends with 0 when all is well, 65 when accounts or spool are damaged, 78 when the
        configuration is wrong.
        """),
    Command(
      .accountAdd, "account add", "NAME", least: 1, most: 1, options: [.quota, .passwordStdin, .propose],
      "make an account and its maildrop",
      details: """
        Asks for the password twice. The account can be used at once: a running server
        takes notice by itself. NAME@ each of our domains reaches it, and so does
        NAME+anything@.

          --quota SIZE      the most its mail may take: 500M, 2G, none; otherwise
                            Quota= of the configuration
          --password-stdin  take the first line of standard input as the password
          --propose         make a password, and show it with the account's settings
        """),
    Command(
      .accountPassword, "account passwd", "NAME", least: 1, most: 1, options: [.passwordStdin],
      "give an account a new password",
      details: """
        Asks for the new password twice. It counts from the next login on.

          --password-stdin  take the first line of standard input as the password
        """),
    Command(
      .accountQuota, "account quota", "NAME SIZE", least: 2, most: 2, "set how much mail an account may keep",
      details: """
        SIZE is 500M, 2G, none (no limit), or default (Quota= of the configuration).
        Mail that is there already stays; while it is more than that, new mail is
        answered 452 and the sender tries again later.
        """),
    Command(
      .accountRemove, "account remove", "NAME", least: 1, most: 1, options: [.deleteMail],
      "close an account; its mail stays",
      details: """
        Nobody can log in any more and new mail for it is refused. Its mail is kept, and
        there again when an account of that name is added.

          --delete-mail  delete the mail, too. `restante mail restore NAME --all` brings
                         it back as long as KeepDeleted= says and the disk has room.
        """),
    Command(
      .accountList, "account list", "[NAME]", most: 1, options: [.json], "all accounts and what they hold",
      details: """
        For each account how many messages wait, their size, the size allowed, and what
        was deleted and can be restored.

          --json  one JSON object, for programs
        """),
    Command(
      .certificateShow, "certificate show", "", options: [.pem], "what mail programs are shown, and its fingerprint",
      details: """
        Who the certificate is for, who issued it, until when it is valid, and whether
        the running server shows it.

          --pem  print the certificate alone, for devices that shall know it
        """),
    Command(
      .certificateRenew, "certificate renew", "", "make a new certificate, signed by itself",
      details: """
        It has a new key, and is for the host name and addresses that this device has
        now. Mail programs ask once whether to trust it. The one before is kept.
        """),
    Command(
      .certificateInstall, "certificate install", "CERT [KEY]", least: 1, most: 2,
      "use a certificate from elsewhere",
      details: """
        CERT is a PEM file: the certificate of this device, then its chain. Without KEY,
        the key is in CERT, too. They must belong together, be valid now, and be for
        HostName=. The running server shows them at once, and nobody is cut off. The
        one before is kept.
        """),
    Command(
      .mailList, "mail list", "NAME", least: 1, most: 1, options: [.deleted, .all],
      "what is in a maildrop",
      details: """
        One line for each message: its number, when it came, its size, who it says it is
        from, its subject. The number (SEQ) names it in the other mail commands and
        never changes.

          --deleted  only what was deleted and can be restored
          --all      both
        """),
    Command(
      .mailShow, "mail show", "NAME SEQ", least: 2, most: 2, options: [.raw],
      "print a message",
      details: """
        Prints the message, also a deleted one. On a terminal, characters that could
        disturb it are replaced.

          --raw  exactly its octets, with CRLF line ends
        """),
    Command(
      .mailDelete, "mail delete", "NAME SEQ...", least: 1, most: 10_000, options: [.all],
      "delete messages; they can be restored",
      details: """
        SEQ is a number that `mail list` shows, or several: 5,7-9.

          --all  everything in the maildrop

        As long as KeepDeleted= says and the disk has room, `restante mail restore`
        brings them back.
        """),
    Command(
      .mailRestore, "mail restore", "NAME SEQ...", least: 1, most: 10_000, options: [.all, .since],
      "bring deleted messages back",
      details: """
        SEQ is a number that `mail list NAME --deleted` shows, or several: 5,7-9.
        Readers see the messages from their next login on, with the UIDL they had.

          --all         everything that was deleted and is still there
          --since TIME  everything deleted since then: 2h, 3d (ago), 2024-05-31 or
                        "2024-05-31 18:00" (local time)
        """),
    Command(
      .mailExport, "mail export", "NAME [SEQ...] --mbox FILE|--maildir DIR", least: 1, most: 10_000,
      options: [.mbox, .maildir, .deleted, .all], "copy messages into a file or directory",
      details: """
        Copies all that waits, or the messages SEQ (5,7-9). Nothing is deleted.

          --mbox FILE    a new file in mboxrd form; - is standard output
          --maildir DIR  a new Maildir, or one that is there
          --deleted      only what was deleted and can be restored
          --all          both

        FILE must not exist yet. It appears when it is complete and on the disk.
        """),
    Command(
      .mailImport, "mail import", "NAME --mbox FILE|--maildir DIR", least: 1, most: 1,
      options: [.mbox, .maildir], "copy messages into a maildrop",
      details: """
        Copies every message of a file or directory into the maildrop of NAME. A message
        that cannot be taken is named and left out. What is reported as imported is on
        the disk. Importing twice makes everything double.

          --mbox FILE    mboxrd or mboxo; - is standard input
          --maildir DIR  what is in its new and cur
        """),
    Command(
      .update, "update show", "FILE", least: 1, most: 1, "what a firmware bundle is, and whether it may be installed",
      details: """
        Shows its version, for which board it is, who signed it, and what changes. FILE
        may be stick:NAME, on a USB stick. Nothing is changed.

        Ends with 65 when the device does not take it: cut short, not signed by those
        whose certificates the firmware has, older than allowed, for another board.
        """),
    Command(
      .update, "update install", "FILE", least: 1, most: 1, "write firmware, to be tried at the next start",
      details: """
        Writes it into the slot that does not run, reads it back, and has it tried once,
        at the next start. It is kept when it passes its self-test, which sends and
        fetches a message; otherwise the firmware that runs now comes back by itself.
        Mail is served meanwhile, and is touched by neither.
        """),
    Command(
      .update, "update back", "", "go back to the firmware in the other slot",
      details: """
        It is tried at the next start, as an update is, whatever its version.
        """),
    Command(
      .update, "update status", "", "what runs, what the other slot has, how the last update went",
      details: """
        Says so in words, and why firmware was not kept.
        """),
    Command(
      .update, "update confirm", "", "have firmware on trial tested now, and kept",
      details: """
        The device does so by itself, until ten minutes after it was started.
        """),
    Command(
      .help, "help", "[COMMAND]", most: 2, "tell more of a command",
      details: """
        Without COMMAND, lists them all.
        """),
  ]
}
