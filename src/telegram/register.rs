//! The commands that Telegram offers while somebody types, from the same list as everything else.

use commands::kit::Role;
use record::lang::Lang;
use teloxide::{
    Bot,
    payloads::{GetMyCommandsSetters, SetMyCommandsSetters},
    requests::Requester,
    types::BotCommand,
};

/// The commands for a language, as Telegram shows them.
fn list(lang: Lang) -> Vec<BotCommand> {
    let everybodys = commands::ALL.iter().filter(|command| command.who == Role::Reader);
    everybodys.map(|command| BotCommand::new(command.name, command.about.get(lang))).collect()
}

/// Registers the commands of every language where they differ from what is registered. English is also what those see
/// who speak neither. Tells how many lists were changed.
pub async fn register(bot: &Bot) -> Result<usize, teloxide::RequestError> {
    let mut changed = 0;
    for (code, lang) in [("", Lang::En), ("it", Lang::It)] {
        let wanted = list(lang);
        if bot.get_my_commands().language_code(code).await? != wanted {
            bot.set_my_commands(wanted).language_code(code).await?;
            changed += 1;
        }
    }
    Ok(changed)
}
